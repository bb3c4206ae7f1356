"""What the API reads of the running product."""

from typing import Protocol

from dashboard.core.directory import Directory
from dashboard.core.leases import Leases
from dashboard.core.readers import AccountReader, BarReader, FeedReader
from dashboard.hub.hub import Hub


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
    def accounts(self) -> AccountReader:
        """Give the clients."""
        ...

    @property
    def frequency_ms(self) -> int:
        """Give the one frequency of all clients."""
        ...
