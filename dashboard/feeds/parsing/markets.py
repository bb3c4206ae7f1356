"""The state of all instruments of a feed: changes in, events out. Pure."""

from collections.abc import Callable, Iterator

from dashboard.core.book import OrderBook
from dashboard.core.model import Book, Event, Price, Trade
from dashboard.feeds.parsing.changes import BookDelta, BookSnapshot, Change, Quote

BOOK_LEVELS = 20
"""Levels a side in a published book."""
WHOLE_LEVELS = 5
"""Levels a side from which a book that began without a snapshot counts as whole."""
MID_DIGITS = 12
"""A mid is rounded to this, against the noise of adding floats."""

Key = tuple[str, str]
"""Exchange and symbol."""


class _Market:
    """One instrument's book. `last` is the number of its last update, where there are numbers."""

    def __init__(self) -> None:
        self.book = OrderBook()
        self.partial = True
        self.last: int | None = None

    def update_partial(self) -> None:
        if self.partial and min(self.book.depth) >= WHOLE_LEVELS:
            self.partial = False


class Markets:
    """Keep a book per instrument and make an event of each change.

    `gaps` counts the holes in the venues' own numbers; after one the book
    begins anew from the deltas, as its old levels may be gone. `crossed`
    counts the levels that were dropped because newer ones crossed them.
    """

    def __init__(self) -> None:
        self.gaps = 0
        self.crossed = 0
        self._markets: dict[Key, _Market] = {}
        self._prices: dict[Key, Price] = {}

    def apply(self, change: Change, *, wanted: bool = True) -> Event | None:
        """Take in one change; None when it is not wanted, which only saves making the event."""
        match change:
            case BookDelta() | BookSnapshot():
                market = self._update(change)
                return self._book(change, market, change.ts_event) if wanted else None
            case Quote():
                event = _mid(change)
                self._prices[event.exchange, event.symbol] = event
            case Price():
                event = change
                self._prices[event.exchange, event.symbol] = event
            case Trade():
                event = change
        return event if wanted else None

    def forget_books(self, exchange: str) -> None:
        """Drop the books of a venue whose connection was made anew."""
        for key in [key for key in self._markets if key[0] == exchange]:
            del self._markets[key]

    def latest(self, ts_event: int, wanted: Callable[[Key], bool]) -> Iterator[Event]:
        """Give the price and the book of each wanted instrument, as of `ts_event`."""
        for key, price in self._prices.items():
            if wanted(key):
                yield Price(
                    symbol=price.symbol,
                    exchange=price.exchange,
                    price=price.price,
                    volume=price.volume,
                    ts_event=ts_event,
                )
        for key, market in self._markets.items():
            if wanted(key):
                exchange, symbol = key
                bids, asks = market.book.levels(BOOK_LEVELS)
                yield Book(
                    symbol=symbol,
                    exchange=exchange,
                    bids=bids,
                    asks=asks,
                    partial=market.partial,
                    ts_event=ts_event,
                )

    def _update(self, change: BookDelta | BookSnapshot) -> _Market:
        key = (change.exchange, change.symbol)
        market = self._markets.get(key)
        if market is None:
            market = self._markets[key] = _Market()
        before = market.book.crossed
        if isinstance(change, BookSnapshot):
            market.book.apply_snapshot(change.bids, change.asks)
            market.partial = False
            market.last = None
        else:
            if None not in (market.last, change.previous) and market.last != change.previous:
                self.gaps += 1
                market = self._markets[key] = _Market()
                before = 0
            market.book.apply_delta(change.bids, change.asks)
            market.last = change.last
            market.update_partial()
        self.crossed += market.book.crossed - before
        return market

    def _book(self, change: BookDelta | BookSnapshot, market: _Market, ts_event: int) -> Book:
        bids, asks = market.book.levels(BOOK_LEVELS)
        return Book(
            symbol=change.symbol,
            exchange=change.exchange,
            bids=bids,
            asks=asks,
            partial=market.partial,
            ts_event=ts_event,
        )


def _mid(quote: Quote) -> Price:
    return Price(
        symbol=quote.symbol,
        exchange=quote.exchange,
        price=round((quote.bid_price + quote.ask_price) / 2, MID_DIGITS),
        volume=0.0,
        ts_event=quote.ts_event,
    )
