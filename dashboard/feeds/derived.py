"""Last prices for feeds that publish trades alone, and best bids and offers where only books are.

It is between the feeds and the hub that this is done, once for all who listen. What is
derived is marked so: who reads what it follows from has it already.
"""

from collections.abc import Callable

from dashboard.core.model import Book, Event, Kind, Price, Published, Quote, Topic, Trade
from dashboard.feeds.base import Publish

Best = tuple[float | None, float]

EMPTY: Best = (None, 0.0)


class Derived:
    """Stand between the feeds and the hub, and publish what follows from an event behind it.

    A trade makes a `Price`, at its time and with its size as volume, unless it is from
    before the feed was connected, or its feed has prices of its own and says so.

    A `Quote` follows a book whose best has changed. Left alone are books with an envelope,
    which come from an exchange with quotes of its own, instruments whose feed has published
    a quote, and partial books, whose best is not known.

    `latest_of` gives the newest event of a topic, as the hub does.
    """

    def __init__(self, publish: Publish, latest_of: Callable[[Topic], Published | None]) -> None:
        self._publish = publish
        self._latest_of = latest_of

    def publish(self, event: Event) -> None:
        """Publish an event, and what follows from it."""
        self._publish(event)
        if isinstance(event, Trade):
            if not (event.historical or event.priced):
                self._derive_price(event)
        elif isinstance(event, Book) and event.envelope is None and not event.partial:
            self._derive_quote(event)

    def _derive_price(self, trade: Trade) -> None:
        self._publish(
            Price(
                symbol=trade.symbol,
                exchange=trade.exchange,
                price=trade.price,
                volume=trade.size,
                derived=True,
                ts_event=trade.ts_event,
            )
        )

    def _derive_quote(self, book: Book) -> None:
        bid: Best = book.bids[0] if book.bids else EMPTY
        ask: Best = book.asks[0] if book.asks else EMPTY
        newest = self._latest_of(Topic(Kind.QUOTE, book.exchange, book.symbol))
        if newest is not None and isinstance(last := newest.event, Quote):
            best = (last.bid_price, last.bid_size, last.ask_price, last.ask_size)
            if not last.derived or best == (*bid, *ask):
                return
        self._publish(
            Quote(
                symbol=book.symbol,
                exchange=book.exchange,
                bid_price=bid[0],
                bid_size=bid[1],
                ask_price=ask[0],
                ask_size=ask[1],
                derived=True,
                ts_event=book.ts_event,
            )
        )
