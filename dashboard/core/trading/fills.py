"""At what price an action is filled.

A strategy sees a bar when that is over, so a price that is better than the close would be
hindsight: there a buy fills at the greater of both, a sell at the lesser. A tick is the moment
itself: its price and its quote may be had.
"""

from dashboard.core.trading.model import MarketData


def find_bounds(bar: MarketData, *, is_tick: bool) -> tuple[float, float]:
    """Give the least and the greatest price that an action may name."""
    if is_tick:
        return min(bar.close, bar.bid, bar.ask), max(bar.close, bar.bid, bar.ask)
    return bar.low, bar.high


def find_fill(price: float, *, close: float, buys: bool, is_tick: bool) -> float:
    """Give the price that one within the bounds is filled at."""
    if is_tick:
        return price
    return max(price, close) if buys else min(price, close)
