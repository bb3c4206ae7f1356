"""What the pages read of the running product, and ask of it."""

from typing import Protocol

from dashboard.commands.door import Commands
from dashboard.core.readers import AccountReader, BarReader
from dashboard.hub.served import Served


class Streamed(Served, Protocol):
    """As much of it as the stream of a page needs."""

    @property
    def bars(self) -> BarReader:
        """Give the bars."""
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
