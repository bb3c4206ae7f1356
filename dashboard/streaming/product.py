"""What the streams read of the running product, and ask of it."""

from collections.abc import Iterator
from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.config import Settings
from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import MarketEvent
from dashboard.hub.served import Served
from dashboard.hub.subscription import Subscription
from dashboard.storage.api_keys import ApiKeys


class LiveProduct(Served, Protocol):
    """A running product, as far as the live stream knows it."""

    @property
    def commands(self) -> Commands:
        """Give the door for what clients may change."""
        ...

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval."""
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


class OpenAlgoProduct(Served, Protocol):
    """A running product, as far as the OpenAlgo stream knows it."""

    settings: Settings

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
