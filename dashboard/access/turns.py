"""What all clients together may have done in one turn of the event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

TURN_BYTES = 16 * 1024
"""Read and answered in one turn at most: some three thousand empty frames."""
ANSWER_BYTES = 512
"""What the smallest request counts as: to answer it costs more than to read it."""


class Turns:
    """Let so many bytes of requests be taken on in one turn; who comes later waits for the next.

    First come, first served. What is larger than a whole turn has one for itself: so however
    many have much to do, the loop does all else between two of them. Do not wait for a
    client in a turn.
    """

    def __init__(self, *, size: int = TURN_BYTES) -> None:
        self._size = size
        self._left = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._renewing = False

    @property
    def left(self) -> int:
        """Tell how many bytes this turn may still take on; 0 or less is none."""
        return self._left

    def spend(self, size: int) -> None:
        """Count bytes that were taken on without asking."""
        self._left -= size
        self._renew_soon()

    async def take(self, size: int) -> None:
        """Wait until a request of so many bytes may be taken on."""
        size = max(size, ANSWER_BYTES)
        if self._left > 0 and not self._waiting:
            self.spend(size)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._renew_soon()
        await turn

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """Have a whole turn for the block, which may not wait."""
        await self.take(self._size)
        yield

    def _renew_soon(self) -> None:
        if not self._renewing:
            self._renewing = True
            asyncio.get_running_loop().call_soon(self._renew)

    def _renew(self) -> None:
        self._renewing = False
        self._left = self._size
        while self._waiting and self._left > 0:
            size, turn = self._waiting.popleft()
            if not turn.done():  # who left meanwhile has cancelled it
                turn.set_result(None)
                self.spend(size)
