"""A small client of `/sse` for tests: raw, so that it can stop reading and break off."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from tests.event_stream import Event, Reader

TIMEOUT_S = 60


class Stream:
    """One response, read event by event."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.ended = False
        self._reader = reader
        self._writer = writer
        self._parser = Reader()
        self._waiting: list[Event] = []

    async def open(self, path: str, headers: dict[str, str]) -> None:
        """Send the request and read the head of the response."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        status, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = dict(field.lower().split(": ", 1) for field in fields if field)

    async def body(self) -> str:
        """Give the whole body of a response that is no stream."""
        return (await self._reader.readexactly(int(self.headers["content-length"]))).decode()

    async def next(self) -> Event:
        """Give the next event.

        Raises:
            EOFError: when the server has ended the stream in good order.
        """
        async with asyncio.timeout(TIMEOUT_S):
            while not self._waiting:
                if self.ended:
                    raise EOFError
                self._waiting = self._parser.feed(await self._chunk())
        return self._waiting.pop(0)

    async def until(self, found: Callable[[Event], bool]) -> list[Event]:
        """Give all events up to and including the first that is wanted."""
        seen = [await self.next()]
        while not found(seen[-1]):
            seen.append(await self.next())
        return seen

    def abort(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()

    async def _chunk(self) -> bytes:
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        data = (await self._reader.readexactly(size + 2))[:-2]
        self.ended = not size
        return data


@asynccontextmanager
async def stream(
    port: int, path: str, headers: dict[str, str] | None = None, *, small: bool = False
) -> AsyncGenerator[Stream]:
    """Open a stream; a `small` one holds little, so the server soon feels that it is not read."""
    raw = socket.socket()
    if small:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4096 if small else 1 << 20)
    opened = Stream(reader, writer)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await opened.open(path, headers or {})
        yield opened
    finally:
        opened.abort()


def number(event: Event) -> int:
    """Give the number that `exchange.trade` put into a trade, and 0 for anything else."""
    return json.loads(event.data).get("data", {}).get("buyer_order_id", 0)
