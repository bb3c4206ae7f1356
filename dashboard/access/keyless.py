"""The few places on the page's port for those who owe a key and have not shown it yet.

What a client of `/ws/openalgo` may fill memory with before it shows a key is bounded for each
(see `unfinished`), so there are few of them at a time.
"""

import asyncio
from typing import Protocol

PLACES = 16
PATIENCE_S = 1.0
"""Who owes its key for longer makes room for one who waits."""
WAIT_S = 10.0


class Debtor(Protocol):
    """A client that owes a key; told apart by identity."""

    def displace(self) -> None:
        """Leave: the place is another's now."""
        ...


class KeylessPlaces:
    """Places to be `enter`ed before a WebSocket is accepted, and left with the key or the client.

    Who finds none waits for its turn. To show a key takes a client milliseconds, so a burst
    of a thousand goes through; who takes a second is asked to leave when others wait.
    """

    def __init__(
        self, *, limit: int = PLACES, patience_s: float = PATIENCE_S, wait_s: float = WAIT_S
    ) -> None:
        self._limit = limit
        self._free = asyncio.Semaphore(limit)
        self._patience_s = patience_s
        self._wait_s = wait_s
        self._inside: dict[Debtor, asyncio.TimerHandle] = {}
        self._late: dict[Debtor, None] = {}
        self._leaving: set[Debtor] = set()
        self._waiting = 0

    async def enter(self, client: Debtor) -> bool:
        """Take a place, after a while where there is none; false when none comes free in time.

        Who gets one must `leave` it.
        """
        self._waiting += 1
        try:
            self._make_room()
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        self._inside[client] = loop.call_later(self._patience_s, self._be_late, client)
        return True

    def leave(self, client: Debtor) -> None:
        """Give the place back. Safe to call twice."""
        timer = self._inside.pop(client, None)
        if timer is not None:
            timer.cancel()
            self._late.pop(client, None)
            self._leaving.discard(client)
            self._free.release()

    def _be_late(self, client: Debtor) -> None:
        self._late[client] = None
        self._make_room()

    def _make_room(self) -> None:
        """Ask the one that is late for the longest to leave, when somebody waits."""
        free = self._limit - len(self._inside) + len(self._leaving)
        if self._late and self._waiting > free:
            client = next(iter(self._late))
            del self._late[client]
            self._leaving.add(client)
            client.displace()
