"""What several ask for at the same time is done once."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class SingleFlight(Generic[Value]):
    """Lets all who ask while something is under way have its outcome, a failure included.

    `begin` starts it, such as in a thread or as a task of the owner's. Who is cancelled while it
    waits ends it for nobody else. Belongs to one event loop.
    """

    def __init__(self, begin: Callable[[], asyncio.Future[Value]]) -> None:
        self._begin = begin
        self._flight: asyncio.Future[Value] | None = None

    async def join(self) -> Value:
        """Wait for what is under way, or else begin it; give what comes of it, or raise that."""
        if self._flight is None:
            self._flight = self._begin()
            self._flight.add_done_callback(self._land)
        flight = self._flight
        await asyncio.wait({flight})  # unlike `await flight`, it is not cancelled with us
        return flight.result()

    async def join_next(self) -> Value:
        """Give what comes of one that begins after this call.

        Raises what one that is under way already raises.
        """
        if self._flight is not None:
            await self.join()
        return await self.join()

    def _land(self, flight: asyncio.Future[Value]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # who asked may have left: asyncio need not tell of it
