"""The streams `/ws` and `/sse` and the exports: how many may be open, and their end."""

import asyncio
import contextlib
import sys
from typing import Protocol

from dashboard.core.addresses import network_of

DRAIN_TIMEOUT_S = 2.0


class Guest(Protocol):
    """A client that owes a key; told apart by identity."""

    @property
    def address(self) -> str:
        """Give the network address that it comes from."""
        ...

    def displace(self) -> None:
        """Leave: the place is another's now."""
        ...


class Places:
    """Places for connections, up to a limit.

    A guest may stay for as long as there is room, and for good once it has shown its key and
    is told to `keep` its place: so who has none costs nobody who has one a place.
    """

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.open = 0
        self.refused = 0  # displaced guests among them
        self.evicted = 0  # closed because they did not read
        self._arrivals = 0
        self._guests: dict[str, dict[Guest, int]] = {}  # by network, the oldest first
        self._displaced: set[Guest] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def admit(self, guest: Guest | None = None) -> bool:
        """Take a place; false when there is none. Who gets one must `release` it.

        When all are taken, the oldest guest of the network with most of them loses its own.
        """
        if self.open >= self.limit:
            self.refused += 1
            if not self._guests:
                return False
            self._displace()
        self.open += 1
        self._empty.clear()
        if guest is not None:
            self._arrivals += 1
            self._guests.setdefault(network_of(guest.address), {})[guest] = self._arrivals
        return True

    def keep(self, guest: Guest) -> None:
        """Let a guest that has shown its key have its place for good."""
        network = network_of(guest.address)
        guests = self._guests.get(network, {})
        guests.pop(guest, None)
        if not guests:
            self._guests.pop(network, None)

    def release(self, guest: Guest | None = None) -> None:
        """Give a place back; of a guest that was displaced, nothing is left to give."""
        if guest is not None:
            if guest in self._displaced:
                self._displaced.remove(guest)
                return
            self.keep(guest)
        self.open -= 1
        if not self.open:
            self._empty.set()

    def _displace(self) -> None:
        most = max(self._guests.values(), key=lambda each: (len(each), -next(iter(each.values()))))
        guest = next(iter(most))
        self.release(guest)
        self._displaced.add(guest)
        guest.displace()

    async def drained(self) -> bool:
        """Wait for the last connection to end, for 2 s at most; tell whether it did."""
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True


def allow_open_files(count: int) -> int:
    """Raise this process's soft limit of open files to `count`, as far as the hard one lets it.

    Give how many it may open then. A connection is a file, and the usual limit of 1024
    is less than our own limits of clients need. Windows has no such limit.
    """
    if sys.platform == "win32":
        return count
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS has a limit behind the limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return count if soft == resource.RLIM_INFINITY else soft
