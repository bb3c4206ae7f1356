"""At what price an action, a stop or a target is filled, before costs.

A strategy sees a bar when that is over, so a price that is better than the close would be
hindsight: there a buy fills at the greater of both, a sell at the lesser. A tick is the moment
itself: its price and its quote may be had.
"""

from typing import NamedTuple

from dashboard.core.trading.fsm import Trigger
from dashboard.core.trading.model import MarketData, Position, PositionSide


class Reached(NamedTuple):
    """A stop or a target that was reached, and what it is filled at."""

    trigger: Trigger
    price: float


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


def find_at_close(position: Position, close: float) -> Trigger | None:
    """Give what the close has reached, the stop first."""
    stop, target = position.stop_loss, position.take_profit
    if position.side is PositionSide.LONG:
        if stop is not None and close <= stop:
            return Trigger.STOP
        if target is not None and close >= target:
            return Trigger.TARGET
    else:
        if stop is not None and close >= stop:
            return Trigger.STOP
        if target is not None and close <= target:
            return Trigger.TARGET
    return None


def find_inside(position: Position, bar: MarketData) -> Reached | None:
    """Give what the bar has reached, the stop first; what it opened beyond fills there."""
    stop, target = position.stop_loss, position.take_profit
    if position.side is PositionSide.LONG:
        if stop is not None and bar.low <= stop:
            return Reached(Trigger.STOP, min(bar.open, stop))
        if target is not None and bar.high >= target:
            return Reached(Trigger.TARGET, max(bar.open, target))
    else:
        if stop is not None and bar.high >= stop:
            return Reached(Trigger.STOP, max(bar.open, stop))
        if target is not None and bar.low <= target:
            return Reached(Trigger.TARGET, min(bar.open, target))
    return None
