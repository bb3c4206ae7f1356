"""Best bids and offers for feeds that publish books alone."""

from dashboard.core.model import Book, Event, Quote
from dashboard.feeds.base import Publish

Level = tuple[float | None, float]

EMPTY: Level = (None, 0.0)


class DerivedQuotes:
    """Stand between the feeds and the hub and add a `Quote` wherever a book's best changed.

    It follows its book at once, with the book's time. Left alone are books with
    an envelope, which come from an exchange with quotes of its own, instruments
    whose feed has published a quote, and partial books, whose best is not known.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._quoted: set[tuple[str, str]] = set()
        self._best: dict[tuple[str, str], tuple[Level, Level]] = {}

    def publish(self, event: Event) -> None:
        """Publish an event, and the quote that follows from it."""
        self._publish(event)
        if isinstance(event, Book):
            if event.envelope is None and not event.partial:
                self._derive(event)
        elif isinstance(event, Quote):
            self._quoted.add((event.exchange, event.symbol))

    def _derive(self, book: Book) -> None:
        key = (book.exchange, book.symbol)
        bid: Level = book.bids[0] if book.bids else EMPTY
        ask: Level = book.asks[0] if book.asks else EMPTY
        if self._best.get(key) == (bid, ask) or key in self._quoted:
            return
        self._best[key] = bid, ask
        self._publish(
            Quote(
                symbol=book.symbol,
                exchange=book.exchange,
                bid_price=bid[0],
                bid_size=bid[1],
                ask_price=ask[0],
                ask_size=ask[1],
                ts_event=book.ts_event,
            )
        )
