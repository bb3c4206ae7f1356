"""A stream server in the test's own event loop, with two users, on a free port."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection

from dashboard.access.connection_limits import HANDSHAKES
from dashboard.access.origins import problem_with
from dashboard.access.places import Places
from dashboard.bootstrap.product import Product
from dashboard.config import LOCAL_HOSTS, load_settings
from dashboard.core.principal import STREAM, Principal
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.listener import StreamListener
from dashboard.streaming.server import StreamSet
from tests.integration.ws_client import TIMEOUT_S, live

KEYS = {"a" * 32: "ann", "b" * 32: "bob"}
KEY = "a" * 32
SILENCE_S = 3
"""A client that gets no tick of a busy symbol while this process works for so long is disturbed."""
PATIENT = Timeouts(handshake_s=60, authenticate_s=60)
"""For crowds, whose clients are served by the same loop as the server."""
BTC = {"symbol": "BTC/USD", "exchange": "CRYPTO"}
AAPL = {"symbol": "AAPL", "exchange": "NASDAQ"}


async def authenticate(api_key: str, _address: str) -> Principal | None:
    await asyncio.sleep(0)  # as a database would
    if api_key not in KEYS:
        return None
    return Principal(user_id=KEYS[api_key], scopes=frozenset({STREAM}))


class Stream(NamedTuple):
    server: StreamListener
    product: Product
    places: Places
    clients: Places
    streams: StreamSet

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"


@asynccontextmanager
async def streaming(
    *, timeouts: Timeouts | None = None, limit: int = 1000, port: int = 0, **settings: Any
) -> AsyncGenerator[Stream]:
    with TemporaryDirectory() as folder:
        settings |= {"data_dir": Path(folder)}
        product = Product(load_settings().model_copy(update=settings))
        places, clients = Places(limit=limit), Places(limit=limit)
        streams = StreamSet(
            product.web, clients=clients, stream_clients=places, authenticate=authenticate
        )
        server = StreamListener(
            places,
            host="127.0.0.1",
            port=port,
            refusal=partial(problem_with, hosts=LOCAL_HOSTS, origins=()),
            timeouts=timeouts or Timeouts(),
            connection_limit=limit + HANDSHAKES,
            deflate=product.settings.stream_deflate,
        )
        server.listen()
        async with asyncio.TaskGroup() as group, product.running():
            group.create_task(streams.run(server))
            yield Stream(server, product, places, clients, streams)


@asynccontextmanager
async def client(
    stream: Stream, *, key: str | None = KEY, **options: Any
) -> AsyncGenerator[ClientConnection]:
    async with live(stream.url, compression=None, **options) as socket:
        if key is not None:
            assert (await ask(socket, {"action": "authenticate", "api_key": key}))["type"] == "auth"
        yield socket


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(TIMEOUT_S):
        return json.loads(await socket.recv())


def listed(product: Product) -> list[dict[str, str]]:
    """Give all instruments as a request to subscribe names them."""
    listings = product.web.directory.listings
    return [{"symbol": each.symbol, "exchange": each.exchange} for each in listings]


async def ask(socket: ClientConnection, request: Any) -> dict[str, Any]:
    """Send a request and give its answer; data that come before it are passed over."""
    await socket.send(request if isinstance(request, str | bytes) else json.dumps(request))
    while True:
        message = await receive(socket)
        if message.get("type") != "market_data":
            return message


async def data(socket: ClientConnection, mode: int) -> dict[str, Any]:
    """Give the next data of a mode."""
    while True:
        message = await receive(socket)
        if message.get("type") == "market_data" and message["mode"] == mode:
            return message


async def during(socket: ClientConnection, seconds: float) -> list[dict[str, Any]]:
    """Give all messages of the next seconds."""
    seen: list[dict[str, Any]] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                seen.append(json.loads(await socket.recv()))
    return seen


@asynccontextmanager
async def undisturbed(url: str, *, symbol: dict[str, str] = BTC) -> AsyncGenerator[None]:
    """Have a healthy client receive quotes for as long as the block lasts, and once more after.

    Its connection stays, and no two quotes are further apart than `SILENCE_S`.
    """

    async def listen(socket: ClientConnection) -> None:
        while True:
            before_s = time.process_time()
            await data(socket, 2)
            assert time.process_time() - before_s < SILENCE_S

    async with live(url) as socket:
        assert (await ask(socket, {"action": "authenticate", "api_key": KEY}))["type"] == "auth"
        await ask(socket, {"action": "subscribe", "mode": 2, **symbol})
        listener = asyncio.create_task(listen(socket))
        try:
            yield
        finally:
            failed = listener.done()
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener  # raises what has disturbed it
        assert not failed
        assert (await data(socket, 2))["symbol"] == symbol["symbol"]


async def closed(socket: ClientConnection) -> int | None:
    """Wait until the server closes a connection, and give the code."""
    async with asyncio.timeout(TIMEOUT_S):
        await socket.wait_closed()
    return socket.close_code


async def listening(port: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
