"""`/ws` on the page's port and on the stream server's: one stream, with the same rules."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection

from dashboard.access.keyless import KeylessPlaces
from dashboard.protocols.live import MAX_REQUEST_BYTES
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.streams import Refusal
from tests.integration.stream import Stream, closed, receive, streaming
from tests.integration.test_openalgo_socket import listening
from tests.integration.ws_client import live
from tests.live_server import free_port
from tests.unit.fakes import price, trade

DOORS = ("page", "stream")
HASTY = Timeouts(drain_s=0.1, ping_interval_s=0.1, ping_timeout_s=0.1)
SMALL_BYTES = 4096
"""What a client's system holds that does not read."""


class House(NamedTuple):
    stream: Stream
    ports: dict[str, int]

    @asynccontextmanager
    async def client(self, door: str, **options: Any) -> AsyncGenerator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.ports[door]}/ws"
        async with live(url, compression=None, close_timeout=1, **options) as socket:
            yield socket

    @asynccontextmanager
    async def slow_client(self, door: str) -> AsyncGenerator[ClientConnection]:
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL_BYTES)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.ports[door]))
        async with self.client(door, sock=raw, ping_interval=None, max_queue=1) as socket:
            yield socket


@asynccontextmanager
async def house(**options: Any) -> AsyncGenerator[House]:
    timeouts = options.get("timeouts", Timeouts())
    async with streaming(**options) as stream:

        async def serve(socket: WebSocket) -> None:
            await serve_stream(socket, stream.streams.live, KeylessPlaces(), timeouts)

        port = free_port()
        app = Starlette(routes=[WebSocketRoute("/ws", serve)])
        server = Server(app, port=port, interface=Interfaces.ASGINL, log_enabled=False)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve())
            await listening(port)
            yield House(stream, {"page": port, "stream": stream.server.port})
            stream.product.hub.close()
            await stream.clients.drained()
            server.stop()
            await serving


async def events(socket: ClientConnection, count: int) -> list[str]:
    """Give the ids of the next events."""
    found: list[str] = []
    while len(found) < count:
        frame = await receive(socket)
        if "id" in frame:
            found.append(frame["id"])
    return found


async def test_the_same_events_come_through_both() -> None:
    async with house() as both, both.client("page") as one, both.client("stream") as other:
        ones, others = await events(one, 200), await events(other, 200)
        start = max(ones[0], others[0], key=lambda each: int(each.partition(":")[2]))
        shared = min(len(each) - each.index(start) for each in (ones, others))
        assert shared > 100
        assert ones[ones.index(start) :][:shared] == others[others.index(start) :][:shared]


@pytest.mark.parametrize("door", DOORS)
async def test_a_frame_of_64_kib_is_read_and_a_larger_one_closed_with_1009(door: str) -> None:
    async with house() as both, both.client(door) as socket:
        request = json.dumps({"type": "subscribe", "symbols": []})
        await socket.send(request + " " * (MAX_REQUEST_BYTES - len(request)))
        while (await receive(socket))["type"] != "subscribed":
            pass
        await socket.send(request + " " * (MAX_REQUEST_BYTES + 1 - len(request)))
        assert await closed(socket) == 1009


@pytest.mark.parametrize(("first", "second"), [DOORS, DOORS[::-1]])
async def test_the_places_are_counted_over_both(first: str, second: str) -> None:
    async with house(limit=2) as both, both.client(first), both.client(second) as other:
        await receive(other)
        for door in DOORS:
            async with both.client(door) as late:
                assert await closed(late) == 1013
        assert both.stream.clients.open == 2
        assert both.stream.places.open == 0


@pytest.mark.parametrize("door", DOORS)
async def test_who_does_not_read_is_neither_pinged_nor_closed_but_conflated(door: str) -> None:
    async with (
        house(frequency_ms=10, simulator_symbols=300, timeouts=HASTY) as both,
        both.slow_client(door) as socket,
    ):
        fanout, hub = both.stream.streams.live.fanout, both.stream.product.hub
        async with asyncio.timeout(60):
            while not (fanout.lost and fanout.conflated):
                for _ in range(100):
                    hub.publish(trade())
                await asyncio.sleep(0.01)
            await asyncio.sleep(5 * (HASTY.ping_interval_s + HASTY.ping_timeout_s))
            stopped_at = hub.published
            told = lost = newest = 0
            while not lost or told == lost or newest < stopped_at:
                frame = await receive(socket)
                told += frame.get("count", 0)
                lost += frame.get("lost_trades", 0)
                newest = int(frame.get("id", ":0").partition(":")[2])


@pytest.mark.parametrize("door", DOORS)
async def test_a_client_can_be_ended_with_a_reason_of_one_s_own(door: str) -> None:
    async with house() as both, both.client(door) as socket, both.client(door) as other:
        await receive(socket)
        await receive(other)
        clients = list(both.stream.streams.live._sessions)  # pyright: ignore[reportPrivateUsage] - who may end them has a register of its own
        for each in clients[:1]:
            each.end(Refusal(4401, "the key was revoked"))
        assert await closed(socket) == 4401
        assert socket.close_reason == "the key was revoked"
        both.stream.product.hub.publish(price())
        await receive(other)
