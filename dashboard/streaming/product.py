"""What the streams read of the running product, and ask of it."""

from collections.abc import Iterator
from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.config import Settings
from dashboard.core.directory import Directory
from dashboard.core.leases import Leases
from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import MarketEvent
from dashboard.core.readers import FeedReader
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Subscription
from dashboard.storage.api_keys import ApiKeys


class StreamedProduct(Protocol):
    """As much of it as every stream needs."""

    @property
    def hub(self) -> Hub:
        """Give the hub."""
        ...

    @property
    def directory(self) -> Directory:
        """Give what is listed now."""
        ...

    @property
    def leases(self) -> Leases:
        """Give where leases are taken."""
        ...


class LiveProduct(StreamedProduct, Protocol):
    """A running product, as far as the live stream knows it."""

    @property
    def commands(self) -> Commands:
        """Give the door for what clients may change."""
        ...

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval."""
        ...

    @property
    def frequency_ms(self) -> int:
        """Give the frequency of all clients."""
        ...


class QuoteReader(Protocol):
    """The full quotes of all instruments, see `history.quotes`."""

    @property
    def subscription(self) -> Subscription:
        """Give what is to be drained by `ticks`."""
        ...

    def of(self, exchange: str, symbol: str) -> MarketQuote | None:
        """Give an instrument's quote; None before its first event."""
        ...

    def ticks(self) -> Iterator[tuple[MarketQuote, MarketEvent]]:
        """Fold what waits, and give each event that said something new with its quote."""
        ...


class OpenAlgoProduct(StreamedProduct, Protocol):
    """A running product, as far as the OpenAlgo stream knows it."""

    settings: Settings

    @property
    def feeds(self) -> FeedReader:
        """Give how the feeds stand."""
        ...

    @property
    def quotes(self) -> QuoteReader:
        """Give the quotes, which this stream drains."""
        ...


class ServedProduct(LiveProduct, OpenAlgoProduct, Protocol):
    """All that the stream server needs of it."""

    @property
    def keys(self) -> ApiKeys:
        """Give who may in."""
        ...
