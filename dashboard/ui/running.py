"""What the pages read of the running product, and ask of it."""

from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.core.directory import Directory
from dashboard.core.leases import Leases
from dashboard.core.readers import AccountReader, BarReader, FeedReader
from dashboard.hub.hub import Hub


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
    def feeds(self) -> FeedReader:
        """Give how the feeds stand."""
        ...

    @property
    def leases(self) -> Leases:
        """Give where instruments are leased."""
        ...

    @property
    def bars(self) -> BarReader:
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
    def accounts(self) -> AccountReader:
        """Give the clients."""
        ...
