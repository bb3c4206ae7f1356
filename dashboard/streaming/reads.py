"""How much is read from one client of the stream server at a time."""

import asyncio
from typing import Any

from picows import WSTransport

from dashboard.access.turns import Turns

READ_BYTES = 4096
LEAST_READ_BYTES = 128
"""Read where a turn has no room left, too: who has only a little to say need not wait."""


class BoundedReads(asyncio.BufferedProtocol):
    """Stand between a transport and picows, which would take all that the system has.

    Who fills a read is not read from again until its connection lets it `go_on`; `asked` is
    set for that. So nobody's frames, however small, fill a turn of the loop. `heard` is set
    by whatever comes, and while it is `paused` nothing can come.
    """

    def __init__(self, transport: WSTransport, turns: Turns, asked: asyncio.Event) -> None:
        self.heard = True
        self._transport = transport.underlying_transport
        self._inner: Any = self._transport.get_protocol()  # picows' own, which is not typed
        self._turns = turns
        self._asked = asked
        self.paused = False
        self._granted = False
        self._size = 0
        self._transport.set_protocol(self)

    def pause(self) -> None:
        """Read no more for now."""
        self.paused = True
        self._transport.pause_reading()

    async def go_on(self) -> None:
        """Wait for a turn, and read again; at once where reading goes on anyway."""
        if self.paused:
            await self._turns.take(READ_BYTES)
            self.paused, self._granted = False, True
            self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give picows' buffer, or as much of it as may be filled now."""
        room = READ_BYTES if self._granted else max(self._turns.left, LEAST_READ_BYTES)
        buffer: memoryview = self._inner.get_buffer(sizehint)[: min(room, READ_BYTES)]
        self._size = len(buffer)
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read."""
        self.heard = True
        if self._granted:
            self._granted = False
        else:
            self._turns.spend(nbytes)
        if nbytes == self._size:
            self.pause()
            self._asked.set()
        self._inner.buffer_updated(nbytes)

    def eof_received(self) -> bool | None:
        """Hand on that no more comes."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on the end."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hand on that the transport is full."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that it has drained."""
        self._inner.resume_writing()
