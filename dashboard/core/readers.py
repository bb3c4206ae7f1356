"""What those who serve clients read of what is kept elsewhere: narrow protocols."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dashboard.core.accounts import Account
from dashboard.core.bars import Bar, Interval
from dashboard.core.feed_state import FeedStatus
from dashboard.core.instruments import Instrument
from dashboard.core.model import Positions
from dashboard.core.reports import FeedReport


class FeedReader(Protocol):
    """How the feeds stand, in the order of the settings."""

    def current(self) -> Mapping[str, FeedReport]:
        """Give what was told of each last, by its name."""
        ...

    def status(self) -> dict[str, FeedStatus]:
        """Give how each stands now, by its name."""
        ...


class BarReader(Protocol):
    """The bars that are kept, oldest first."""

    async def load(self, instrument: Instrument) -> None:
        """Have those of before at hand, wherever they are kept.

        Raises:
            CommandError: when they cannot be had.
        """
        ...

    def of(self, instrument: Instrument, interval: Interval, count: int) -> list[Bar]:
        """Give the newest `count` bars."""
        ...

    def kept(self, instrument: Instrument, interval: Interval) -> list[Bar]:
        """Give all bars."""
        ...

    def changes(self, instrument: Instrument, interval: Interval) -> int:
        """Give a number that rises when an instrument's bars change."""
        ...

    def changed(self, instrument: Instrument, interval: Interval, since: int) -> list[Bar]:
        """Give the bars that have changed since `changes` was that."""
        ...


class AccountReader(Protocol):
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
