"""What the pages read of the running product, and ask of it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.core.accounts import Account
from dashboard.core.bars import Bar, Interval
from dashboard.core.directory import Directory
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


class Bars(Protocol):
    """The bars that are kept, see `history.bars`."""

    async def load(self, instrument: Instrument) -> None:
        """Have those of before at hand, wherever they are kept."""
        ...

    def of(self, instrument: Instrument, interval: Interval, count: int) -> list[Bar]:
        """Give the newest `count` bars, oldest first."""
        ...

    def changes(self, instrument: Instrument, interval: Interval) -> int:
        """Give a number that rises when an instrument's bars change."""
        ...

    def changed(self, instrument: Instrument, interval: Interval, since: int) -> list[Bar]:
        """Give the bars that have changed since `changes` was that, oldest first."""
        ...


class Accounts(Protocol):
    """What is remembered of the clients of the exchanges."""

    @property
    def updates(self) -> int:
        """Count the updates so far."""
        ...

    def current(self) -> Sequence[Account]:
        """Give every client."""
        ...

    def positions(self) -> Sequence[Positions]:
        """Give the latest positions of every client that has any."""
        ...


class Streamed(Protocol):
    """As much of it as the stream of a page needs."""

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
    def frequency_ms(self) -> int:
        """Give the one frequency of all clients."""
        ...

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval."""
        ...


class Running(Streamed, Protocol):
    """All that pages need of it."""

    @property
    def commands(self) -> Commands:
        """Give the door for what pages may change."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Give the clients."""
        ...
