"""What all that serves clients reads of the running product; pages, streams and API add theirs."""

from typing import Protocol

from dashboard.core.directory import Directory
from dashboard.core.leases import Leases
from dashboard.core.readers import FeedReader
from dashboard.hub.hub import Hub


class Served(Protocol):
    """The hub, and what is known of its instruments and feeds."""

    @property
    def hub(self) -> Hub:
        """Give the hub."""
        ...

    @property
    def directory(self) -> Directory:
        """Give all instruments, as they are listed now."""
        ...

    @property
    def leases(self) -> Leases:
        """Give where instruments are leased."""
        ...

    @property
    def feeds(self) -> FeedReader:
        """Give how the feeds stand."""
        ...

    @property
    def frequency_ms(self) -> int:
        """Give the one frequency of all clients."""
        ...
