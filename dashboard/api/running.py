"""What the API reads of the running product."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dashboard.core.accounts import Account
from dashboard.core.bars import Bar, Interval
from dashboard.core.directory import Directory
from dashboard.core.feed_state import FeedStatus
from dashboard.core.instruments import Instrument
from dashboard.core.leases import Leases
from dashboard.core.model import Positions
from dashboard.core.reports import FeedReport
from dashboard.hub.hub import Hub


class Feeds(Protocol):
    """How the feeds stand."""

    def current(self) -> Mapping[str, FeedReport]:
        """Give what was told of each last, by its name."""
        ...

    def status(self) -> dict[str, FeedStatus]:
        """Give how each stands now, by its name."""
        ...


class Bars(Protocol):
    """The bars that are kept."""

    async def load(self, instrument: Instrument) -> None:
        """Have those of before at hand, wherever they are kept."""
        ...

    def of(self, instrument: Instrument, interval: Interval, count: int) -> list[Bar]:
        """Give the newest `count` bars, oldest first."""
        ...

    def kept(self, instrument: Instrument, interval: Interval) -> list[Bar]:
        """Give all bars, oldest first."""
        ...


class Accounts(Protocol):
    """What is remembered of the clients of the exchanges."""

    def current(self) -> Sequence[Account]:
        """Give every client."""
        ...

    def positions(self) -> Sequence[Positions]:
        """Give the latest positions of every client that has any."""
        ...


class Running(Protocol):
    """The running product; `started_ns` is by the monotonic clock."""

    version: str
    started_ns: int

    @property
    def hub(self) -> Hub:
        """Give the hub."""
        ...

    @property
    def directory(self) -> Directory:
        """Give all instruments."""
        ...

    @property
    def feeds(self) -> Feeds:
        """Give how the feeds stand."""
        ...

    @property
    def leases(self) -> Leases:
        """Give where instruments are leased."""
        ...

    @property
    def bars(self) -> Bars:
        """Give the bars."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Give the clients."""
        ...

    @property
    def frequency_ms(self) -> int:
        """Give the one frequency of all clients."""
        ...
