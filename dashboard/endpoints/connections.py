"""The streams `/ws` and `/sse` and the exports: how many may be open, and their end."""

import asyncio
import contextlib
import sys

DRAIN_TIMEOUT_S = 2.0


class Connections:
    """Places for connections, up to a limit."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.open = 0
        self.refused = 0
        self.evicted = 0  # closed because they did not read
        self._empty = asyncio.Event()
        self._empty.set()

    def admit(self) -> bool:
        """Take a place; false when there is none. Who gets one must `release` it."""
        if self.open >= self.limit:
            self.refused += 1
            return False
        self.open += 1
        self._empty.clear()
        return True

    def release(self) -> None:
        """Give a place back."""
        self.open -= 1
        if not self.open:
            self._empty.set()

    async def drained(self) -> bool:
        """Wait for the last connection to end, for 2 s at most; tell whether it did."""
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True


def allow_open_files(count: int) -> None:
    """Raise this process's soft limit of open files to `count`, as far as the hard one lets it.

    A connection is a file, and the usual limit of 1024 is less than our own limits
    of clients need. Windows has no such limit.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS has a limit behind the limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
