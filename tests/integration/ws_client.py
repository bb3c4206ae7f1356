"""A small client of `/ws` for tests."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed

Message = dict[str, Any]
TIMEOUT_S = 30
"""Whoever waits longer for the server waits for ever; a busy machine needs a few seconds."""


@asynccontextmanager
async def live(url: str, **options: Any) -> AsyncGenerator[ClientConnection]:
    """Connect, to `/ws` or another WebSocket, and read on while saying goodbye.

    The server's goodbye comes behind all that nobody has read.
    """
    async with connect(url, open_timeout=TIMEOUT_S, **options) as socket:
        yield socket
        async with asyncio.TaskGroup() as group:
            group.create_task(socket.close())
            with contextlib.suppress(ConnectionClosed, ConcurrencyError):  # or another reads on
                async for _ in socket:
                    pass


async def receive(socket: ClientConnection) -> Message:
    """Give the next message."""
    async with asyncio.timeout(TIMEOUT_S):
        return json.loads(await socket.recv())


async def until(socket: ClientConnection, found: Callable[[Message], bool]) -> list[Message]:
    """Give all messages up to and including the first that is wanted."""
    seen: list[Message] = []
    async with asyncio.timeout(TIMEOUT_S):
        while not seen or not found(seen[-1]):
            seen.append(json.loads(await socket.recv()))
    return seen


async def during(socket: ClientConnection, seconds: float) -> list[Message]:
    """Give all messages of the next seconds."""
    seen: list[Message] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                seen.append(json.loads(await socket.recv()))
    return seen


async def ask(socket: ClientConnection, request: object) -> None:
    """Send a request as JSON, or text and bytes as they are."""
    await socket.send(request if isinstance(request, str | bytes) else json.dumps(request))


def offset(message: Message) -> int:
    """Give the number in a message's id."""
    return int(message["id"].rpartition(":")[2])
