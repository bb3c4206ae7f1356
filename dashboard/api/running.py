"""What the API reads of the running product."""

from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.core.readers import AccountReader, BarReader
from dashboard.hub.served import Served


class Running(Served, Protocol):
    """The running product; `started_ns` is by the monotonic clock."""

    version: str
    started_ns: int
    commands: Commands

    @property
    def bars(self) -> BarReader:
        """Give the bars."""
        ...

    @property
    def accounts(self) -> AccountReader:
        """Give the clients."""
        ...
