"""What a key's scopes let its holder change, on every door of the real product."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.integration.ws_client import ask, live, receive, until
from tests.live_server import LiveServer, free_port, run_keys

PROXIED = {"X-Forwarded-For": "203.0.113.7"}
NEEDED = "this needs an API key with the scope 'control'"
SET_FREQUENCY = "reflex___state____state.dashboard___ui___stream____stream_state.set_frequency"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data_dir = tmp_path_factory.mktemp("scopes") / "data"
    with LiveServer(page=False, data_dir=data_dir, stream_port=free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def reader(product: LiveServer) -> str:
    return run_keys(product, "create", "reader", "--scope", "stream", "--scope", "trade")


@pytest.fixture(scope="module")
def controller(product: LiveServer) -> str:
    return run_keys(product, "create", "controller", "--scope", "stream", "--scope", "control")


def doors(product: LiveServer) -> tuple[str, str]:
    return product.ws_url, f"ws://127.0.0.1:{product.settings['DASHBOARD_STREAM_PORT']}/ws"


@asynccontextmanager
async def page(product: LiveServer, key: str) -> AsyncGenerator[ClientConnection]:
    """Connect as a page does, through what looks like a proxy."""
    url = f"ws://127.0.0.1:{product.port}/_event/?EIO=4&transport=websocket&token={key[-8:]}"
    headers = PROXIED | {"Authorization": f"Bearer {key}"}
    async with connect(url, additional_headers=headers, max_size=None) as socket:
        await socket.recv()
        await socket.send("40/_event,{}")
        await socket.recv()
        yield socket


async def ask_for_frequency(socket: ClientConnection, frequency_ms: int) -> None:
    event = {"name": SET_FREQUENCY, "payload": {"frequency_ms": frequency_ms}}
    await socket.send("42/_event," + json.dumps(["event", event]))


@pytest.mark.parametrize("door", [0, 1])
async def test_who_has_no_control_is_told_so_and_changes_nothing(
    product: LiveServer, reader: str, controller: str, door: int
) -> None:
    url = doors(product)[door]
    only_control = {"type": "subscribe", "symbols": [], "streams": []}
    async with (
        live(url, additional_headers=PROXIED | {"Authorization": f"Bearer {reader}"}) as without,
        live(f"{url}?api_key={controller}", additional_headers=PROXIED) as having,
    ):
        for socket in (without, having):
            await ask(socket, only_control)
            await until(socket, lambda m: m["type"] == "subscribed")
        await ask(without, {"frequency_ms": 333})
        assert await receive(without) == {"type": "error", "error": NEEDED}
        await ask(having, {"frequency_ms": 100 + door})
        for socket in (without, having):
            told = await receive(socket)
            assert (told["type"], told["frequency_ms"]) == ("control", 100 + door)


async def test_this_machine_needs_no_key_to_change_the_frequency(product: LiveServer) -> None:
    for number, url in enumerate(doors(product)):
        async with live(url) as socket:
            await ask(socket, {"frequency_ms": 200 + number})
            await until(socket, lambda m: m["type"] == "control")


async def test_a_page_changes_the_frequency_where_its_key_may(
    product: LiveServer, reader: str, controller: str
) -> None:
    async with (
        live(product.ws_url) as watching,
        page(product, reader) as without,
        page(product, controller) as having,
    ):
        await ask_for_frequency(without, 321)
        await without.send('42/_event,["ping"]')
        async with asyncio.timeout(10):
            while "pong" not in str(await without.recv()):
                pass
        await ask_for_frequency(having, 123)
        seen = await until(watching, lambda m: m.get("frequency_ms") == 123)
        assert all(m.get("frequency_ms") != 321 for m in seen)
