"""The pages' socket of the real app, and what a client can do to it that is no page of ours."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.integration.ws_client import TIMEOUT_S, live
from tests.live_server import LiveServer

KB = 1024
STATE = "reflex___state____state"
WATCH = f"{STATE}.dashboard___ui___pages___market____market_state.watch"
TELL = f"{STATE}.reflex___state____frontend_event_exception_state.handle_frontend_exception"
CHOOSE = f"{STATE}.dashboard___ui___stream____stream_state.choose"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """Give a product of its own: its log is read."""
    with LiveServer(page=False) as running:
        yield running


@asynccontextmanager
async def page_socket(server: LiveServer) -> AsyncGenerator[ClientConnection]:
    """Connect as a page does, with a cookie of another application of this host."""
    url = f"ws://127.0.0.1:{server.port}/_event/?EIO=4&transport=websocket&token=t{time.time_ns()}"
    headers = {"Cookie": "session=of-another-application"}
    async with live(url, additional_headers=headers, max_size=None) as socket:
        await socket.recv()
        await socket.send("40/_event,{}")
        assert str(await socket.recv()).startswith("40/_event,")
        yield socket


async def emit(socket: ClientConnection, name: str, **payload: Any) -> None:
    await socket.send("42/_event," + json.dumps(["event", {"name": name, "payload": payload}]))


async def answers(socket: ClientConnection) -> bool:
    """Tell whether the socket is still served, after what was sent before."""
    await socket.send('42/_event,["ping"]')
    async with asyncio.timeout(TIMEOUT_S):
        while "pong" not in str(await socket.recv()):
            pass
    return True


def log_of(server: LiveServer) -> str:
    return server.log.read_text()


async def slowest_answer(server: LiveServer, doing: asyncio.Task[None]) -> float:
    """Give the longest time that a small request took meanwhile, in s."""
    slowest = 0.0
    async with httpx.AsyncClient(timeout=30) as client:
        while not doing.done():
            began = time.monotonic()
            await client.get(f"http://127.0.0.1:{server.port}/api/health")
            slowest = max(slowest, time.monotonic() - began)
    await doing
    return slowest


async def test_unknown_handlers_cost_nothing_and_are_not_logged(server: LiveServer) -> None:
    before = len(log_of(server))

    async def flood() -> None:
        async with page_socket(server) as socket:
            for _ in range(20):
                await emit(socket, "no.such.handler", text="x" * (200 * KB))
            assert await answers(socket)

    assert await slowest_answer(server, asyncio.create_task(flood())) < 0.5
    assert len(log_of(server)) - before < KB
    assert "of-another-application" not in log_of(server)


async def test_message_beyond_the_bound_ends_the_connection(server: LiveServer) -> None:
    async with page_socket(server) as socket:
        await emit(socket, CHOOSE, id_="x" * (257 * KB))
        with pytest.raises(ConnectionClosed):
            await answers(socket)


async def test_long_watchlist_is_not_kept(server: LiveServer) -> None:
    worker: psutil.Process = server.worker()
    before = worker.memory_info().rss
    for _ in range(10):
        async with page_socket(server) as socket:
            await emit(socket, WATCH, ids=["x"] * 40_000)
            await emit(socket, WATCH, ids=["x" * (200 * KB)])
            assert await answers(socket)
    assert worker.memory_info().rss - before < 30e6


async def test_error_told_by_a_page_forges_no_line(server: LiveServer) -> None:
    before = len(log_of(server).splitlines())
    async with page_socket(server) as socket:
        forged = "x\n2026-11-29T00:00:00Z [info     ] key revoked name=owner\n"
        await emit(socket, TELL, info=forged, component_stack="")
        await emit(
            socket, TELL, info="TypeError: can't access property \"" * 7000, component_stack=""
        )
        await socket.send('42/_event,["client_error",{"message":"a\\nb","error_type":"c"}]')
        assert await answers(socket)
        await asyncio.sleep(0.5)
    lines = log_of(server).splitlines()[before:]
    assert not any(line.startswith("2026-11-29T00:00:00Z") for line in lines)
    assert sum("key revoked" in line for line in lines) == 1


async def test_page_of_a_long_token_is_not_let_in(server: LiveServer) -> None:
    token = "x" * 10_000
    url = f"ws://127.0.0.1:{server.port}/_event/?EIO=4&transport=websocket&token={token}"
    async with live(url) as socket:
        await socket.recv()
        await socket.send("40/_event,{}")
        assert str(await socket.recv()).startswith("44/_event,"), "a refusal of socket.io"


@pytest.mark.parametrize(
    "frame",
    [
        "42/_event," + "[" * 50_000,
        '42/_event,["connect",{}]',
        '42/_event,["no_such",{}]',
        '42/_event,["event"]',
        '42/_event,["event","' + "x" * 100_000 + '"]',
        '42/_event,["event",{"name":"' + CHOOSE + '","payload":{"id_":' + "9" * 400 + "}}]",
        "42/_event,{}",
        "42/_event,[]",
        "4",
        "49",
        "451-/_event,[]",
        b"binary",
        "x",
        "",
        "bnot base64",
    ],
)
async def test_what_is_no_event_is_not_told_of(server: LiveServer, frame: str | bytes) -> None:
    before = len(log_of(server))
    async with page_socket(server) as socket:
        await socket.send(frame)
        with suppress(ConnectionClosed):
            await answers(socket)
    async with page_socket(server) as socket:
        assert await answers(socket)
    assert log_of(server)[before:] == ""
