"""Clients without a key that take all places, and those with one who come after them."""

import asyncio
import json
import socket as sockets
from contextlib import AsyncExitStack

import pytest

from tests.integration.raw_client import CLOSE, TIMEOUT_S, RawClient, frame, handshake, raw_client
from tests.integration.stream import KEY, PATIENT, ask, client, streaming
from tests.integration.test_openalgo_socket import PATH, mounted
from tests.integration.test_openalgo_socket import client as client_of_the_page
from tests.integration.test_stream_hostile import AUTHENTICATE, close_code, many_files, reply

__all__ = ["many_files"]  # a fixture
PING = {"action": "ping"}


@pytest.mark.parametrize("path", ["/", "/nowhere"])
async def test_who_owes_a_key_makes_way_for_who_shows_one(path: str) -> None:
    async with streaming(limit=3) as stream, AsyncExitStack() as stack:
        port = stream.server.port
        squatters = [await RawClient.connect(port) for _ in range(3)]
        for each in squatters:
            await each.upgrade(port, path)
        known = [await stack.enter_async_context(client(stream)) for _ in range(3)]
        assert [close_code(await each.rest()) for each in squatters] == [1013] * 3
        assert stream.places.open == 3
        for each in squatters:
            each.close()
        late = await RawClient.connect(port)
        await late.upgrade(port, path)
        assert close_code(await late.rest()) == 1013
        for each in known:
            assert (await ask(each, PING))["type"] == "pong"
        late.close()


async def test_both_doors_share_the_places_and_their_guests() -> None:
    async with mounted(limit=2) as route, client_of_the_page(route, key=None) as squatter:
        other = await RawClient.connect(route.port)
        await other.upgrade(route.port, PATH)
        async with client_of_the_page(route) as first, client_of_the_page(route) as second:
            await squatter.wait_closed()
            assert squatter.close_code == 1013
            assert close_code(await other.rest()) == 1013
            for each in (first, second):
                assert (await ask(each, PING))["type"] == "pong"
        other.close()


async def test_who_needs_no_key_for_the_live_stream_keeps_its_place() -> None:
    async with streaming(limit=1) as stream:
        port = stream.server.port
        reader = await RawClient.connect(port)
        await reader.upgrade(port, "/ws")
        assert await reader.receive() is not None
        late = await RawClient.connect(port)
        await late.upgrade(port, "/ws")
        assert close_code(await late.rest()) == 1013
        await reader.send(b"")
        assert await reader.receive() is not None
        for each in (reader, late):
            each.close()


BURST = 1000


@pytest.mark.usefixtures("many_files")
async def test_a_burst_of_a_thousand_with_keys_gets_in_where_squatters_have_all_places() -> None:
    async with streaming(limit=BURST, timeouts=PATIENT) as stream:
        port = stream.server.port
        squatters = [await RawClient.connect(port) for _ in range(BURST)]
        for each in squatters:
            await each.upgrade(port)
        assert stream.places.open == BURST
        honest: list[RawClient] = []

        async def arrive() -> dict[str, object]:
            made = await RawClient.connect(port)
            honest.append(made)
            await made.upgrade(port)
            await made.send(AUTHENTICATE)
            return await reply(made)

        answers = await asyncio.gather(*(arrive() for _ in range(BURST)))
        assert {each["status"] for each in answers} == {"success"}
        assert stream.places.open == BURST
        assert stream.places.refused == BURST
        for each in (*squatters, *honest):
            each.close()


async def test_squatters_that_come_back_at_once_keep_nobody_with_a_key_out() -> None:
    async with streaming(limit=200, timeouts=PATIENT) as stream, asyncio.TaskGroup() as group:
        port = stream.server.port

        async def squat() -> None:
            while True:
                async with raw_client(port) as squatter:
                    await squatter.rest()

        squatting = [group.create_task(squat()) for _ in range(200)]
        async with asyncio.timeout(TIMEOUT_S):
            while stream.places.open < 200:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
        async with AsyncExitStack() as stack:
            for _ in range(22):
                known = await stack.enter_async_context(client(stream, key=None))
                request = json.dumps({"action": "authenticate", "api_key": KEY})
                assert (await ask(known, request))["status"] == "success"
            for each in squatting:
                each.cancel()


async def test_who_says_goodbye_and_reads_nothing_gives_its_place_back() -> None:
    async with streaming(frequency_ms=10, simulator_symbols=400) as stream:
        symbols = [
            {"symbol": e.symbol, "exchange": e.exchange} for e in stream.services.directory.listings
        ]
        request = {"action": "subscribe", "mode": 2, "symbols": symbols}
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", stream.server.port))
        await loop.sock_sendall(raw, handshake(stream.server.port) + AUTHENTICATE)
        await loop.sock_sendall(raw, frame(json.dumps(request).encode()))
        async with asyncio.timeout(TIMEOUT_S):
            while not stream.streams.openalgo.fanout.lagging:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)
            await loop.sock_sendall(raw, frame(b"\x03\xe8", CLOSE))
            while stream.places.open:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        raw.close()
