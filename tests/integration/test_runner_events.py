"""What runners tell, on `/ws` and `/ws/events`, through both doors."""

import asyncio
import json
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
from dashboard.protocols.runner_events import EVENT_TYPES
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from tests.integration.stream import Stream, closed, listening, receive, streaming
from tests.integration.ws_client import live
from tests.live_server import free_port
from tests.unit.fakes import trade
from tests.unit.runner_events import action, one_of_each, tick, transition

DOORS = ("page", "stream")


class House(NamedTuple):
    stream: Stream
    ports: dict[str, int]

    def publish(self, *events: Any) -> None:
        for event in events:
            self.stream.product.hub.publish(event)

    @asynccontextmanager
    async def client(self, door: str, address: str) -> AsyncGenerator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.ports[door]}{address}"
        async with live(url, compression=None, close_timeout=1) as socket:
            yield socket


@asynccontextmanager
async def house() -> AsyncGenerator[House]:
    async with streaming() as stream:

        async def serve(socket: WebSocket) -> None:
            chosen = stream.streams.choose(socket.scope["path"])
            await serve_stream(socket, chosen, KeylessPlaces(), Timeouts())

        port = free_port()
        app = Starlette(routes=[WebSocketRoute(path, serve) for path in ("/ws", "/ws/events")])
        server = Server(app, port=port, interface=Interfaces.ASGINL, log_enabled=False)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve())
            await listening(port)
            yield House(stream, {"page": port, "stream": stream.server.port})
            stream.product.hub.close()
            await stream.clients.drained()
            server.stop()
            await serving


async def told(socket: ClientConnection) -> tuple[str, dict[str, Any]]:
    """Give the next event of a runner; what has a type is passed over."""
    while True:
        frame = await receive(socket)
        if "type" not in frame:
            [event] = frame.items()
            return event


@pytest.mark.parametrize("address", ["/ws", "/ws/events"])
@pytest.mark.parametrize("door", DOORS)
async def test_every_event_comes_in_order(door: str, address: str) -> None:
    async with house() as both:
        both.publish(tick("before"))
        async with both.client(door, address) as socket:
            assert (await told(socket))[1]["runner_id"] == "before"
            both.publish(*one_of_each(), tick())
            seen = [await told(socket) for _ in range(len(EVENT_TYPES) + 1)]
            assert [name for name, _ in seen] == [*EVENT_TYPES, "TickReceived"]
            assert [event["seq"] for _, event in seen] == [1] * len(EVENT_TYPES) + [2]


@pytest.mark.parametrize("door", DOORS)
async def test_on_ws_events_nothing_else_comes(door: str) -> None:
    async with house() as both, both.client(door, "/ws/events?format=tagged") as socket:
        await socket.send(json.dumps({"type": "subscribe", "runners": ["a"]}))
        assert (await receive(socket))["type"] == "subscribed"
        both.publish(trade(), tick("b"), transition("a"), trade(), tick("a"))
        first, second = await receive(socket), await receive(socket)
        assert (first["type"], second["type"]) == ("StateTransition", "TickReceived")
        assert first["data"]["runner_id"] == "a"


@pytest.mark.parametrize("door", DOORS)
async def test_nothing_is_lost_or_doubled_over_cuts(door: str) -> None:
    async with house() as both:
        both.publish(tick(), action())
        last_id, numbers = "", []
        for _ in range(6):
            since = f"&since={last_id}" if last_id else ""
            async with both.client(door, f"/ws/events?event_types=TickReceived{since}") as socket:
                for _ in range(20):
                    both.publish(tick(), action(), trade())
                    _, event = await told(socket)
                    last_id = event["id"]
                    numbers.append(event["seq"])
                both.publish(tick(), tick())
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("query", ["streams=all", "event_types=Tick", "runners=a%20b", "format=x"])
async def test_a_query_for_what_there_is_not_is_told_and_closed(door: str, query: str) -> None:
    async with house() as both, both.client(door, f"/ws/events?{query}") as socket:
        told = await receive(socket)
        assert told["type"] == "error"
        assert "; allowed: " in told["error"]
        assert await closed(socket) == 1008
        await both.stream.clients.drained()
        assert both.stream.clients.open == 0


async def test_from_elsewhere_a_key_is_needed() -> None:
    async with streaming() as stream:
        proxied = {"X-Forwarded-For": "203.0.113.9"}
        url = f"{stream.url}/ws/events"
        async with live(url, compression=None, additional_headers=proxied) as socket:
            assert await closed(socket) == 1008
            assert "API key is needed" in str(socket.close_reason)
