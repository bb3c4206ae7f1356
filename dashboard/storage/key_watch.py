"""Keys that let somebody in are read again and again for as long as that one stays."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from dashboard.core.errors import StorageError
from dashboard.storage.known_keys import KnownKeys

WATCH_S = 1.0


class KeyWatch:
    """Reads the keys each second while somebody watches, so that a revocation is noticed.

    Nobody else need ask for a key, and it may have been revoked by another program.
    """

    def __init__(
        self, known: KnownKeys, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._known = known
        self._sleep = sleep
        self._watched = asyncio.Event()

    def begin(self) -> None:
        """Watch from now on. Safe to call twice."""
        self._watched.set()

    def end(self) -> None:
        """Watch no longer. Safe to call twice."""
        self._watched.clear()

    async def run(self) -> None:
        """Read until cancelled; while the database does not answer, it is tried each second."""
        while True:
            await self._watched.wait()
            with contextlib.suppress(StorageError):  # which is in the log already
                await self._known.read()
            await self._sleep(WATCH_S)
