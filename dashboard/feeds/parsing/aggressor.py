"""Which side began a trade, where the source does not say: the rule of Lee and Ready. Pure.

Source: C. Lee and M. Ready, "Inferring Trade Direction from Intraday Data",
Journal of Finance 46 (1991): a trade above the middle of the quote was begun by
the buyer, one below it by the seller; at the middle, or without a quote, the
last change of the price decides.
"""

from dashboard.core.model import Side


class AggressorRule:
    """The last quote and the last trade of one instrument."""

    def __init__(self) -> None:
        self._middle: float | None = None
        self._price: float | None = None
        self._side = Side.BUY

    def see_quote(self, bid_price: float | None, ask_price: float | None) -> None:
        """Take in the best prices; a quote that is one-sided or crossed says nothing."""
        if bid_price is None or ask_price is None or bid_price >= ask_price:
            self._middle = None
        else:
            self._middle = (bid_price + ask_price) / 2

    def side_of(self, price: float) -> Side:
        """Tell the aggressor's side of a trade that happens now, and remember the trade.

        A first trade without a quote counts as bought.
        """
        if self._middle is not None and price != self._middle:
            self._side = Side.BUY if price > self._middle else Side.SELL
        elif self._price is not None and price != self._price:
            self._side = Side.BUY if price > self._price else Side.SELL
        self._price = price
        return self._side
