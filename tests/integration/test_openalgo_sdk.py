"""The unmodified `openalgo` package as a client of the stream server."""

import asyncio
import gc
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openalgo import api

from tests.integration.stream import AAPL, BTC, KEY, Stream, streaming

TIMEOUT_S = 30
Client = Any


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect the sockets that the package leaves open, so that no later test is warned of them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def until(found: Callable[[], bool]) -> None:
    """Wait until something holds, off the event loop's back.

    Raises:
        TimeoutError: when it does not within 10 s.
    """
    deadline = time.monotonic() + TIMEOUT_S
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.02)


@asynccontextmanager
async def sdk(stream: Stream, *, key: str = KEY) -> AsyncGenerator[Client]:
    client = api(api_key=key, host="http://127.0.0.1:1", ws_url=stream.url)
    assert await asyncio.to_thread(client.connect)
    try:
        yield client
    finally:
        await asyncio.to_thread(client.disconnect)


async def test_ltp_quote_and_depth_arrive_in_its_stores_and_callbacks() -> None:
    seen: list[dict[str, Any]] = []
    async with streaming() as stream, sdk(stream) as client:
        assert await asyncio.to_thread(client.subscribe_ltp, [BTC], seen.append)
        await until(lambda: len(seen) > 2)
        assert client.get_ltp()["ltp"]["CRYPTO"]["BTC/USD"]["ltp"] > 0
        assert all(each["mode"] == 1 for each in seen)
        assert abs(seen[-1]["data"]["timestamp"] / 1000 - time.time_ns() / 1e9) < TIMEOUT_S

        assert await asyncio.to_thread(client.subscribe_quote, [BTC], seen.append)
        await until(lambda: seen[-1]["mode"] == 2)
        quote = client.get_quotes()["quote"]["CRYPTO"]["BTC/USD"]
        assert 0 < quote["low"] <= quote["ltp"] <= quote["high"]

        assert await asyncio.to_thread(client.subscribe_depth, [BTC], seen.append)
        await until(lambda: "BTC/USD" in client.get_depth()["depth"].get("CRYPTO", {}))
        depth = client.get_depth()["depth"]["CRYPTO"]["BTC/USD"]
        assert 0 < depth["buyBook"]["1"]["price"] < depth["sellBook"]["1"]["price"]
        assert depth["buyBook"]["5"]["price"] < depth["buyBook"]["1"]["price"]


async def test_unsubscribe_is_followed_by_silence() -> None:
    seen: list[dict[str, Any]] = []
    async with streaming() as stream, sdk(stream) as client:
        await asyncio.to_thread(client.subscribe_ltp, [BTC, AAPL], seen.append)
        await until(lambda: {each["symbol"] for each in seen} == {"AAPL", "BTC/USD"})
        assert await asyncio.to_thread(client.unsubscribe_ltp, [BTC])
        await asyncio.sleep(0.2)
        seen.clear()
        await until(lambda: len(seen) > 5)
        assert {each["symbol"] for each in seen} == {"AAPL"}


async def test_a_wrong_key_does_not_get_in() -> None:
    async with streaming() as stream:
        client = api(api_key="wrong", host="http://127.0.0.1:1", ws_url=stream.url)
        assert not await asyncio.to_thread(client.connect)
        assert client.connected
        assert not client.authenticated
        await asyncio.to_thread(client.disconnect)


async def test_two_clients_on_one_symbol_do_not_disturb_each_other() -> None:
    one: list[dict[str, Any]] = []
    two: list[dict[str, Any]] = []
    async with streaming() as stream, sdk(stream) as ann, sdk(stream, key="b" * 32) as bob:
        await asyncio.to_thread(ann.subscribe_quote, [BTC], one.append)
        await asyncio.to_thread(bob.subscribe_quote, [BTC], two.append)
        await until(lambda: bool(one and two))
        await asyncio.to_thread(ann.unsubscribe_quote, [BTC])
        await asyncio.to_thread(ann.disconnect)
        two.clear()
        await until(lambda: len(two) > 5)


# The package leaves its old socket to the garbage collector when it connects again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_it_reconnects_after_a_restart_of_the_server() -> None:
    seen: list[dict[str, Any]] = []
    async with streaming() as stream:
        port = stream.server.port
        client = api(api_key=KEY, host="http://127.0.0.1:1", ws_port=port)
        assert await asyncio.to_thread(client.connect)
    await until(lambda: not client.connected)
    async with streaming(port=port):
        assert await asyncio.to_thread(client.connect)
        await asyncio.to_thread(client.subscribe_ltp, [BTC], seen.append)
        await until(lambda: bool(seen))
        await asyncio.to_thread(client.disconnect)
