"""A client's connection that takes all it is sent, for what stands above the sockets."""

import asyncio
from collections.abc import Callable

from starlette.types import Scope

from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import bare
from dashboard.streaming.streams import GOING_AWAY, Refusal

SCOPE: Scope = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": []}


class FakeReceiver:
    """`got` holds what was written, write by write; `ended` says why it was closed."""

    wire = staticmethod(bare)
    writable = True

    def __init__(self, query: str = "") -> None:
        self.scope: Scope = {**SCOPE, "query_string": query.encode()}
        self.outbox = Outbox()
        self.got: list[bytes] = []
        self.ended: Refusal | None = None

    def write(self, data: bytes) -> None:
        self.got.append(data)

    def flush(self) -> int:
        frames = self.outbox.take() if self.writable else []
        if frames:
            self.write(b"".join(frames))
        return len(frames)

    async def drained(self) -> None: ...

    def end(self, refusal: Refusal = GOING_AWAY) -> None:
        self.ended = refusal


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a fake receiver has no event to tell."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
