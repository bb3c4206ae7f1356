"""The full quotes of all instruments, kept up to date event by event."""

from collections.abc import Iterator

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import Kind, MarketEvent, Topic
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Subscription

BUFFER_EVENTS = 50_000
KINDS = frozenset({Kind.PRICE, Kind.TRADE, Kind.QUOTE, Kind.BOOK, Kind.OPEN_INTEREST})


class Quotes:
    """Fold the hub's market events; the one owner drains `ticks` when `subscription` is ready."""

    def __init__(self, hub: Hub) -> None:
        self._quotes: dict[tuple[str, str], MarketQuote] = {}
        self.subscription: Subscription = hub.subscribe(
            name="quotes",
            wants=_wants,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._failures = hub.failures
        self._hub = hub

    def of(self, exchange: str, symbol: str) -> MarketQuote | None:
        """Give an instrument's quote as the owner has drained it; None before its first event."""
        return self._quotes.get((exchange, symbol))

    def ticks(self) -> Iterator[tuple[MarketQuote, MarketEvent]]:
        """Fold what waits, and give each event that said something new with the quote after it.

        The quote goes on changing: use it before the next step.
        """
        for published in self.subscription.take():
            event = published.event
            if not isinstance(event, MarketEvent):
                self._end(published.topic)
                continue
            key = (event.exchange, event.symbol)
            quote = self._quotes.get(key)
            if quote is None:
                quote = self._quotes[key] = MarketQuote(
                    exchange=event.exchange, symbol=event.symbol
                )
            try:
                news = quote.apply(event, received_ns=published.ts_received)
            except Exception as error:  # noqa: BLE001 - one event must not cost others theirs
                self._failures.add("quotes", error)
                continue
            if news:
                yield quote, event

    def _end(self, ended: Topic) -> None:
        """Forget an instrument of which no topic is left."""
        key = (ended.exchange, ended.subject)
        if not self._hub.latest(Topic(kind, *key) for kind in KINDS):
            self._quotes.pop(key, None)


def _wants(topic: Topic) -> bool:
    return topic.kind in KINDS
