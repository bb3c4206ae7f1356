"""What the live stream takes of a running product."""

from typing import Protocol

from dashboard.core.directory import Directory
from dashboard.core.leases import Leases
from dashboard.hub.hub import Hub


class LiveProduct(Protocol):
    """A running product, as far as the live stream knows it."""

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

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval."""
        ...

    @property
    def frequency_ms(self) -> int:
        """Give the frequency of all clients."""
        ...

    def set_frequency(self, frequency_ms: float) -> int:
        """Change it, and tell everyone."""
        ...
