"""Two servers that `bench_fanout.py` measures beside ours, written as their manuals show.

A client sends the JSON list of its symbols and gets one answer; what is to be sent
comes as lines, symbol, tab and text, on a port of its own.

`python -m tests.benchmarks.fanout_servers PORT FEED_PORT` is websockets' `broadcast`
on uvloop; `starlette_app` is a Starlette application, for Granian.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.server import ServerConnection, broadcast, serve

SUBSCRIBED = '{"type":"subscribed"}'
QUEUED = 1000
"""Messages that wait for one client, as many as ours holds."""

Publish = Callable[[str, str], None]
"""Send a symbol's text to all who hold the symbol."""


class Lines(asyncio.Protocol):
    """Read the feed."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Publish every line that is complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            symbol, text = line.decode().split("\t")
            self._publish(symbol, text)


async def _listen_to_feed(port: int, publish: Publish) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Lines(publish), "127.0.0.1", port)


async def serve_websockets(port: int, feed_port: int) -> None:
    """Serve until the process is ended."""
    holders: defaultdict[str, set[ServerConnection]] = defaultdict(set)

    async def handle(connection: ServerConnection) -> None:
        symbols = json.loads(await connection.recv())
        for symbol in symbols:
            holders[symbol].add(connection)
        try:
            await connection.send(SUBSCRIBED)
            await connection.wait_closed()
        finally:
            for symbol in symbols:
                holders[symbol].discard(connection)

    def publish(symbol: str, text: str) -> None:
        broadcast(holders[symbol], text)

    async with (
        await _listen_to_feed(feed_port, publish),
        serve(handle, "127.0.0.1", port, compression=None) as server,
    ):
        await server.serve_forever()


def starlette_app() -> Starlette:
    """Build the application; its feed comes on the port `FANOUT_FEED_PORT`."""
    holders: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)

    async def handle(socket: WebSocket) -> None:
        await socket.accept()
        symbols = await socket.receive_json()
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUED)
        queue.put_nowait(SUBSCRIBED)
        for symbol in symbols:
            holders[symbol].add(queue)
        try:
            while True:
                await socket.send_text(await queue.get())
        except WebSocketDisconnect:
            pass  # it left
        finally:
            for symbol in symbols:
                holders[symbol].discard(queue)

    def publish(symbol: str, text: str) -> None:
        for queue in holders[symbol]:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(text)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with await _listen_to_feed(int(os.environ["FANOUT_FEED_PORT"]), publish):
            yield

    return Starlette(routes=[WebSocketRoute("/", handle)], lifespan=lifespan)


if __name__ == "__main__":
    uvloop.run(serve_websockets(int(sys.argv[1]), int(sys.argv[2])))
