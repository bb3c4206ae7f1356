"""Who has much to do waits for a turn of the event loop of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Turns:
    """Turns of the loop, given out in the order of asking.

    However many ask at once, one of them works in a turn, and the loop has done all
    else before the next one does. Do not wait for a client in a turn.
    """

    def __init__(self) -> None:
        self._taken = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """Have a turn for the block."""
        async with self._taken:
            yield
            await asyncio.sleep(0)
