"""`/ws/openalgo` on the web server that the product runs on, within the test's own event loop."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection

from dashboard.access.keyless import PLACES, KeylessPlaces
from dashboard.access.places import Places
from dashboard.bootstrap.product import Product
from dashboard.config import load_settings
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.server import StreamSet
from tests.integration.raw_client import TIMEOUT_S, RawClient, frame, handshake, raw_client
from tests.integration.stream import (
    AAPL,
    KEY,
    ask,
    authenticate,
    closed,
    data,
    listening,
    receive,
    undisturbed,
)
from tests.integration.test_stream_hostile import AUTHENTICATE, ILLEGAL, MIB
from tests.integration.ws_client import live
from tests.live_server import free_port

PATH = "/ws/openalgo"
TOLERATED = {"a length in too many bytes", "one byte too many"}
"""The web server takes the one as it is, and waits for all that the other announces."""


class Route(NamedTuple):
    port: int
    product: Product
    places: Places

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{PATH}"


@asynccontextmanager
async def mounted(
    *, timeouts: Timeouts | None = None, limit: int = 1000, **settings: object
) -> AsyncGenerator[Route]:
    with TemporaryDirectory() as folder:
        changed = {**settings, "data_dir": Path(folder)}
        product = Product(load_settings().model_copy(update=changed))
        places = Places(limit=limit)
        streams = StreamSet(
            product.web,
            clients=Places(limit=limit),
            stream_clients=places,
            authenticate=authenticate,
        )
        keyless = KeylessPlaces()

        async def serve(socket: WebSocket) -> None:
            await serve_stream(socket, streams.openalgo, keyless, timeouts or Timeouts())

        app = Starlette(routes=[WebSocketRoute(PATH, serve)])
        port = free_port()
        server = Server(app, port=port, interface=Interfaces.ASGINL, log_enabled=False)
        async with asyncio.TaskGroup() as group, product.running():
            group.create_task(streams.run(None))
            serving = group.create_task(server.serve())
            await listening(port)
            yield Route(port, product, places)
            product.hub.close()
            await places.drained()
            server.stop()
            await serving


@asynccontextmanager
async def client(route: Route, *, key: str | None = KEY) -> AsyncGenerator[ClientConnection]:
    async with live(route.url, compression=None) as socket:
        if key is not None:
            assert (await ask(socket, {"action": "authenticate", "api_key": key}))["type"] == "auth"
        yield socket


async def test_requests_are_answered_in_order() -> None:
    actions = [{"action": "authenticate", "api_key": KEY}]
    actions += [{"action": "ping", "_pingId": str(number)} for number in range(200)]
    async with mounted() as route, client(route, key=None) as socket:
        for action in actions:
            await socket.send(json.dumps(action))
        assert (await receive(socket))["type"] == "auth"
        assert [(await receive(socket))["_pingId"] for _ in range(200)] == [
            str(number) for number in range(200)
        ]


async def test_a_message_over_one_mib_is_closed_with_1009() -> None:
    async with mounted() as route, undisturbed(route.url), client(route) as socket:
        exact = json.dumps({"action": "ping", "x": ""})
        exact = exact[:-2] + "x" * (MIB - len(exact)) + exact[-2:]
        assert (await ask(socket, exact))["type"] == "pong"
        await socket.send(exact + " ")
        assert await closed(socket) == 1009


async def test_few_who_owe_a_key_are_let_in_at_a_time_and_keep_nobody_out() -> None:
    async with mounted() as route, client(route):
        silent = [await RawClient.connect(route.port) for _ in range(PLACES)]
        for each in silent:
            await each.upgrade(route.port, PATH)
        waiting = [await RawClient.connect(route.port) for _ in range(5)]
        for each in waiting:
            await each.send(handshake(route.port, PATH))
        async with client(route) as late:  # once those who are late have made room
            assert (await ask(late, {"action": "ping"}))["type"] == "pong"
            assert route.places.open <= PLACES + 2
        for each in (*silent, *waiting):
            each.reset()


async def test_a_place_too_many_is_refused_with_1013() -> None:
    async with (
        mounted(limit=2) as route,
        undisturbed(route.url),
        client(route),
        client(route, key=None) as third,
    ):
        assert await closed(third) == 1013


async def test_broken_frames_end_their_own_connections_alone() -> None:
    async with mounted() as route, undisturbed(route.url):

        async def attack(sent: bytes) -> None:
            async with raw_client(route.port, PATH) as hostile:
                await hostile.send(sent)
                await hostile.hung_up()

        await asyncio.gather(*(attack(ILLEGAL[name][0]) for name in ILLEGAL.keys() - TOLERATED))
        await places_taken(route, 1)


@pytest.mark.parametrize("end", [RawClient.close, RawClient.reset], ids=["close", "reset"])
async def test_who_leaves_after_any_byte_leaves_nothing_behind(
    end: Callable[[RawClient], None],
) -> None:
    async with mounted() as route, undisturbed(route.url):
        sent = handshake(route.port, PATH)
        for upto in range(len(sent)):
            leaving = await RawClient.connect(route.port)
            await leaving.send(sent[:upto])
            end(leaving)
        for upto in range(len(AUTHENTICATE) + 1):
            leaving = await RawClient.connect(route.port)
            await leaving.upgrade(route.port, PATH)
            await leaving.send(AUTHENTICATE[:upto])
            end(leaving)
        await places_taken(route, 1)


async def places_taken(route: Route, count: int) -> None:
    """Wait until so many clients hold a place."""
    async with asyncio.timeout(TIMEOUT_S):
        while route.places.open != count:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def test_a_client_that_stops_reading_stops_nobody_else() -> None:
    async with mounted(frequency_ms=10, simulator_symbols=400) as route:
        symbols = [
            {"symbol": e.symbol, "exchange": e.exchange}
            for e in route.product.web.directory.listings
        ]
        subscribe = json.dumps({"action": "subscribe", "symbols": symbols, "mode": 2}).encode()
        async with undisturbed(route.url), raw_client(route.port, PATH) as stalled:
            await stalled.send(AUTHENTICATE + frame(subscribe))
            async with client(route) as other:
                await ask(other, {"action": "subscribe", "mode": 2, **AAPL})
                for _ in range(200):
                    assert (await data(other, 2))["symbol"] == "AAPL"


async def test_who_never_authenticates_is_closed_with_4401() -> None:
    async with (
        mounted(timeouts=Timeouts(authenticate_s=0.3)) as route,
        undisturbed(route.url),
        client(route, key=None) as silent,
        client(route, key=None) as wrong,
    ):
        assert (await ask(wrong, {"action": "auth", "api_key": "x"}))["status"] == "error"
        assert (await closed(silent), await closed(wrong)) == (4401, 4401)


async def test_requests_are_answered_while_data_never_pause() -> None:
    async with mounted(frequency_ms=10, simulator_symbols=1000) as route:
        symbols = [
            {"symbol": e.symbol, "exchange": e.exchange}
            for e in route.product.web.directory.listings
        ]
        async with raw_client(route.port, PATH) as busy:
            subscribe = {"action": "subscribe", "symbols": symbols[:1000], "mode": 2}
            await busy.send(AUTHENTICATE + frame(json.dumps(subscribe).encode()))
            await busy.send(frame(b'{"action":"ping"}'))
            for _ in range(10_000):  # its data are not counted by time, as a busy machine is slow
                received = await busy.receive()
                assert received is not None
                if b'"pong"' in received.payload:
                    break
            else:
                pytest.fail("the request is not answered")
        await places_taken(route, 0)  # though its data never pause


async def test_who_reads_nothing_is_evicted_and_its_place_comes_back() -> None:
    async with (
        mounted(timeouts=Timeouts(drain_s=1), frequency_ms=10, simulator_symbols=400) as route,
        undisturbed(route.url),
    ):
        symbols = [
            {"symbol": e.symbol, "exchange": e.exchange}
            for e in route.product.web.directory.listings
        ]
        subscribe = json.dumps({"action": "subscribe", "symbols": symbols, "mode": 2}).encode()
        async with raw_client(route.port, PATH) as stalled:
            await stalled.send(AUTHENTICATE + frame(subscribe))
            await places_taken(route, 2)
            await places_taken(route, 1)
