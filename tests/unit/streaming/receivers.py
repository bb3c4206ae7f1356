"""A client's connection that takes all it is sent, for what stands above the sockets."""

import asyncio
from collections.abc import Callable

from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import bare


class FakeReceiver:
    """`got` holds what was written, write by write."""

    wire = staticmethod(bare)
    writable = True

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.got: list[bytes] = []
        self.ended = False
        self.revoked = False

    def write(self, data: bytes) -> None:
        self.got.append(data)

    def flush(self) -> int:
        frames = self.outbox.take()
        if frames:
            self.write(b"".join(frames))
        return len(frames)

    def end(self) -> None:
        self.ended = True

    def revoke(self) -> None:
        self.revoked = True


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a fake receiver has no event to tell."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
