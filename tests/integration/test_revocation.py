"""A key that is revoked from the command line ends what it has open, on every door."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.integration.test_scopes import page
from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer, free_port, run_keys

PROXIED = {"X-Forwarded-For": "203.0.113.7"}
WITHIN_S = 3.0
REVOKED = (4401, "its API key was revoked")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data_dir = tmp_path_factory.mktemp("revocation") / "data"
    with LiveServer(page=False, data_dir=data_dir, stream_port=free_port()) as running:
        yield running


def bearer(key: str) -> dict[str, str]:
    return PROXIED | {"Authorization": f"Bearer {key}"}


async def revoke(product: LiveServer, name: str) -> float:
    """Revoke a key from the command line; give when that was done."""
    await asyncio.to_thread(run_keys, product, "revoke", name)
    return time.monotonic()


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Wait until a WebSocket is closed; give the code and the reason."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as end:
        return (0, "") if end.rcvd is None else (end.rcvd.code, end.rcvd.reason)


def live_doors(product: LiveServer) -> list[str]:
    stream = f"ws://127.0.0.1:{product.settings['DASHBOARD_STREAM_PORT']}"
    return [product.ws_url, f"{stream}/ws"]


def openalgo_doors(product: LiveServer) -> list[str]:
    stream = f"ws://127.0.0.1:{product.settings['DASHBOARD_STREAM_PORT']}"
    return [f"{product.ws_url}/openalgo", stream]


@asynccontextmanager
async def sockets(product: LiveServer, key: str) -> AsyncGenerator[list[ClientConnection]]:
    """Open all doors that are WebSockets, and a page."""
    opened: list[ClientConnection] = []
    async with AsyncExitStack() as stack:
        for url in live_doors(product):
            options = {"additional_headers": bearer(key)}
            opened.append(await stack.enter_async_context(live(url, **options)))
        for url in openalgo_doors(product):
            socket = await stack.enter_async_context(live(url))
            await socket.send(json.dumps({"action": "authenticate", "api_key": key}))
            assert (await receive(socket))["status"] == "success"
            opened.append(socket)
        opened.append(await stack.enter_async_context(page(product, key)))
        yield opened


async def test_every_websocket_of_a_revoked_key_is_closed_and_no_other(
    product: LiveServer,
) -> None:
    robot = run_keys(product, "create", "robot")
    other = run_keys(product, "create", "other")
    async with sockets(product, robot) as of_robot, sockets(product, other) as of_other:
        others = [asyncio.create_task(closed(each)) for each in of_other]
        ending = asyncio.gather(*map(closed, of_robot))
        revoked_at = await revoke(product, "robot")
        assert await asyncio.wait_for(ending, 10) == [REVOKED] * 5
        assert time.monotonic() - revoked_at < WITHIN_S
        await asyncio.sleep(0)
        assert not any(each.done() for each in others)
        for each in others:
            each.cancel()
    assert "Traceback" not in product.log.read_text()


async def test_a_local_connection_ends_with_the_key_that_it_showed(product: LiveServer) -> None:
    key = run_keys(product, "create", "near")
    async with live(f"{product.ws_url}?api_key={key}") as with_key, live(product.ws_url) as without:
        ending = asyncio.create_task(closed(with_key))
        revoked_at = await revoke(product, "near")
        assert await asyncio.wait_for(ending, 10) == REVOKED
        assert time.monotonic() - revoked_at < WITHIN_S
        assert "type" in await receive(without)


async def test_event_streams_end(product: LiveServer) -> None:
    key = run_keys(product, "create", "listener")
    urls = [f"{product.url}/sse/BTC/USD", f"{product.url}/sse/pnl"]
    async with (
        httpx.AsyncClient(headers=bearer(key), timeout=10) as client,
        AsyncExitStack() as stack,
    ):
        streams = [await stack.enter_async_context(client.stream("GET", url)) for url in urls]
        assert [each.status_code for each in streams] == [200, 200], await streams[0].aread()
        reading = asyncio.gather(*(each.aread() for each in streams))
        revoked_at = await revoke(product, "listener")
        bodies = await asyncio.wait_for(reading, 10)  # which end as they should
        assert time.monotonic() - revoked_at < WITHIN_S
        assert bodies[0].endswith(b"\n\n")
        assert (await client.get(urls[0])).status_code == 401


async def test_a_page_session_ends_with_its_key(product: LiveServer) -> None:
    key = run_keys(product, "create", "browser")
    form = {"key": key, "next": "/"}
    async with httpx.AsyncClient(base_url=product.url, headers=PROXIED, timeout=10) as client:
        answer = await client.post("/sign-in", data=form)
        assert answer.status_code == 303, (answer.text[-700:], key)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        async with live(product.ws_url, additional_headers=PROXIED | {"Cookie": cookie}) as socket:
            ending = asyncio.create_task(closed(socket))
            revoked_at = await revoke(product, "browser")
            assert await asyncio.wait_for(ending, 10) == REVOKED
            assert time.monotonic() - revoked_at < WITHIN_S
        page = await client.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, "API key" in page.text) == (401, True)
