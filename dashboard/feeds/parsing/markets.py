"""The state of all instruments of a feed: changes in, events out. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator

from dashboard.core.book import OrderBook
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Book, Event, Price, PriceBasis, Trade
from dashboard.feeds.parsing.changes import BookDelta, BookSnapshot, Change, QuoteChange

BOOK_LEVELS = 20
"""Levels a side in a published book."""
WHOLE_LEVELS = 5
"""Levels a side from which a book that began without a snapshot counts as whole."""
MID_DIGITS = 15
"""A mid has so many digits that count, against the noise of adding floats."""
OLD_FOR_NS = 10 * 1_000_000_000
"""So long may nothing but older updates come, before they are taken for what holds now."""


class _Market:
    """One instrument's book. `last` is the number of its last update, where there are numbers.

    `old_since` is when the first of the older updates came that came since.
    """

    def __init__(self) -> None:
        self.book = OrderBook()
        self.partial = True
        self.last: int | None = None
        self.old_since: int | None = None

    def update_partial(self) -> None:
        if self.partial and min(self.book.depth) >= WHOLE_LEVELS:
            self.partial = False


class Markets:
    """Keep a book per instrument and make an event of each change.

    A numbered delta that is not newer than the book, repeated or late, changes
    nothing; when nothing else has come for ten seconds, the book is wrong and
    begins anew. `gaps` counts that, and the holes in the venues' own numbers,
    where an update follows one that we have not seen: then, too, the book
    begins anew from the deltas, as its old levels may be gone. `crossed`
    counts the levels that were dropped because newer ones crossed them.
    """

    def __init__(self) -> None:
        self.gaps = 0
        self.crossed = 0
        self._markets: dict[InstrumentKey, _Market] = {}
        self._prices: dict[InstrumentKey, Price] = {}

    def apply(self, change: Change, *, wanted: bool = True, now: int | None = None) -> Event | None:
        """Take in one change; None when it says nothing new, or is not wanted.

        That it is not wanted only saves making the event. `now` is the time, in ns, by
        which the source's silences are measured; without it, the change's own.
        """
        match change:
            case BookDelta() | BookSnapshot():
                market = self._update(change, change.ts_event if now is None else now)
                if market is None or not wanted:
                    return None
                return self._book(change, market, change.ts_event)
            case QuoteChange():
                event = _mid(change)
                key = (event.exchange, event.symbol)
                known = self._prices.get(key)
                if known is None or known.basis is PriceBasis.MID:
                    self._prices[key] = event
            case Price():
                event = change
                self._prices[event.exchange, event.symbol] = event
            case Trade():
                event = change
                if not (event.historical or event.priced):
                    self._prices[event.exchange, event.symbol] = _made_by(event)
        return event if wanted else None

    def forget_books(self, exchange: str, *, but: Collection[InstrumentKey] = ()) -> None:
        """Drop the books of a venue whose connection was made anew, except some."""
        self.forget([key for key in self._markets if key[0] == exchange and key not in but])

    def forget(self, books: Iterable[InstrumentKey]) -> None:
        """Drop these books, as far as there are any."""
        for key in books:
            self._markets.pop(key, None)

    def latest(self, ts_event: int, wanted: Callable[[InstrumentKey], bool]) -> Iterator[Event]:
        """Give the price and the book of each wanted instrument, as of `ts_event`.

        The price is that of the last trade, and a mid where there was none.
        """
        for key, price in self._prices.items():
            if wanted(key):
                yield Price(
                    symbol=price.symbol,
                    exchange=price.exchange,
                    price=price.price,
                    volume=price.volume,
                    basis=price.basis,
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

    def _update(self, change: BookDelta | BookSnapshot, now: int) -> _Market | None:
        """Give the instrument's book after a change; None when the change is not newer."""
        key = (change.exchange, change.symbol)
        market = self._markets.get(key)
        if market is None:
            market = self._markets[key] = _Market()
        elif isinstance(change, BookDelta) and market.last is not None:
            if change.last is not None and change.last <= market.last:
                if market.old_since is None:
                    market.old_since = now
                if now - market.old_since < OLD_FOR_NS:
                    return None
                market = self._begin_anew(key)
            elif change.previous is not None and change.previous > market.last:
                market = self._begin_anew(key)
        before = market.book.crossed
        if isinstance(change, BookSnapshot):
            market.book.apply_snapshot(change.bids, change.asks)
            market.partial = False
            market.last = None
        else:
            market.book.apply_delta(change.bids, change.asks)
            market.last = change.last
            market.update_partial()
        market.old_since = None
        self.crossed += market.book.crossed - before
        return market

    def _begin_anew(self, key: InstrumentKey) -> _Market:
        self.gaps += 1
        market = self._markets[key] = _Market()
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


def _made_by(trade: Trade) -> Price:
    """Give the price that a trade makes."""
    return Price(
        symbol=trade.symbol,
        exchange=trade.exchange,
        price=trade.price,
        volume=trade.size,
        ts_event=trade.ts_event,
    )


def _mid(quote: QuoteChange) -> Price:
    return Price(
        symbol=quote.symbol,
        exchange=quote.exchange,
        price=float(f"{(quote.bid_price + quote.ask_price) / 2:.{MID_DIGITS}g}"),
        volume=0.0,
        basis=PriceBasis.MID,
        ts_event=quote.ts_event,
    )
