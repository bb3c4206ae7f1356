"""The live stream on the stream server's port: the same protocol as `/ws`, written jointly."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from dashboard.storage.api_keys import create_key
from dashboard.streaming.live_backlog import PART_EVENTS
from tests.integration.stream import (
    BTC,
    TIMEOUT_S,
    Stream,
    ask,
    client,
    data,
    receive,
    streaming,
)
from tests.integration.ws_client import live as live_at
from tests.unit.fakes import trade

TOPICS = 17
"""Price, trade and book of five symbols, system and frequency: each may have a latest value."""
MISSED = 20_000
"""Trades that are more than what a system's buffers hold: some two megabytes."""


@asynccontextmanager
async def live(stream: Stream, query: str = "", **options: Any) -> AsyncGenerator[ClientConnection]:
    async with live_at(f"{stream.url}/ws{query}", compression=None, **options) as socket:
        yield socket


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message = await receive(socket)
        if message["type"] == kind:
            return message


async def test_a_client_begins_with_the_latest_and_gets_all_that_follows() -> None:
    async with streaming() as stream:
        async with live(stream) as socket:
            await until(socket, "price")
        async with live(stream) as socket:
            first = [await receive(socket) for _ in range(TOPICS)]
            assert {each["symbol"] for each in first if each["type"] == "price"} >= {"AAPL", "TSLA"}
            seqs: dict[str, int] = {}
            for _ in range(200):
                event = await receive(socket)
                topic = f"{event['type']} {event.get('symbol')}"
                seq: int = event["seq"]
                assert seq == seqs.get(topic, seq - 1) + 1
                seqs[topic] = seq


async def test_a_filter_a_frequency_and_an_error_are_answered() -> None:
    async with streaming() as stream, live(stream) as socket, live(stream) as other:
        await socket.send(json.dumps({"type": "subscribe", "symbols": ["AAPL", "NOPE"]}))
        answer = await until(socket, "subscribed")
        assert (answer["symbols"], answer["unknown"]) == (["AAPL"], ["NOPE"])
        after = [await receive(socket) for _ in range(20)]
        assert {each["symbol"] for each in after if "symbol" in each} == {"AAPL"}
        await socket.send(json.dumps({"frequency_ms": 25}))
        for each in (socket, other):
            assert (await until(each, "control"))["frequency_ms"] == 25
        await socket.send("no")
        assert "not JSON" in (await until(socket, "error"))["error"]


async def test_nothing_is_lost_or_doubled_over_a_cut() -> None:
    async with streaming(frequency_ms=10) as stream:
        trades: list[tuple[str, int]] = []
        last_id = ""
        for _ in range(6):
            async with live(stream, f"?since={last_id}") as socket:
                for _ in range(60):
                    event = await receive(socket)
                    assert event["type"] != "reset"
                    last_id = event["id"]
                    if event["type"] == "trade":
                        trades.append((event["symbol"], event["seq"]))
        for symbol in {symbol for symbol, _ in trades}:
            seqs = [seq for each, seq in trades if each == symbol]
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
        async with live(stream, "?since=never:1") as socket:
            assert (await receive(socket))["type"] == "reset"


async def test_who_lags_is_conflated_and_told_and_others_notice_nothing() -> None:
    async with (
        streaming(frequency_ms=10, simulator_symbols=300) as stream,
        live(stream) as healthy,
    ):
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", stream.server.port))
        async with live(stream, sock=raw, ping_interval=None, max_queue=1) as lagging:
            async with asyncio.timeout(60):
                while not stream.streams.live.fanout.conflated:
                    assert (await receive(healthy))["type"] != "conflated"
                notice = await until(lagging, "conflated")
            assert notice["count"] > 0


async def test_who_reads_nothing_of_what_it_resumes_goes_on_where_it_was() -> None:
    async with streaming() as stream:
        hub, fanout = stream.product.hub, stream.streams.live.fanout
        last = hub.publish(trade())
        for _ in range(MISSED):
            hub.publish(trade())
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", stream.server.port))
        query = f"?since={hub.event_id(last)}"
        async with live(stream, query, sock=raw, ping_interval=None, max_queue=1) as socket:
            async with asyncio.timeout(TIMEOUT_S):
                while not fanout.lagging:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0)
            for _ in range(100):
                hub.publish(trade())
            await asyncio.sleep(0.1)
            assert fanout.waiting <= PART_EVENTS, "the ring holds what it has not got"
            trades: list[int] = []
            while len(trades) < MISSED + 100:
                message = await receive(socket)
                assert message["type"] != "conflated"
                if message["type"] == "trade" and message["symbol"] == "BTC/USD":
                    trades.append(message["seq"])
        assert trades == list(range(trades[0], trades[0] + len(trades)))


async def test_from_elsewhere_a_key_is_needed() -> None:
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    async with streaming() as stream:
        async with live(stream, additional_headers=proxied) as socket:
            with pytest.raises(ConnectionClosed):
                await receive(socket)
            assert socket.close_code == 1008
            assert "API key is needed" in str(socket.close_reason)
        key = await asyncio.to_thread(
            create_key, stream.product.repository, "test", now=1_000_000_000
        )
        async with live(stream, f"?api_key={key}", additional_headers=proxied) as socket:
            assert (await until(socket, "price"))["symbol"]
    async with (
        streaming(require_key="never") as stream,
        live(stream, additional_headers=proxied) as socket,
    ):
        assert (await until(socket, "price"))["symbol"]


@pytest.mark.parametrize("deflate", [True, False])
async def test_compression_is_agreed_on_where_it_is_on(deflate: bool) -> None:
    async with streaming(stream_deflate=deflate) as stream, client(stream) as plain:
        offers = [ClientPerMessageDeflateFactory()]
        async with connect(stream.url, compression=None, extensions=offers) as socket:
            assert bool(socket.protocol.extensions) is deflate
            await ask(socket, {"action": "auth", "api_key": "a" * 32})
            for each in (socket, plain):
                await ask(each, {"action": "subscribe", "mode": "Depth", **BTC})
            packed, bare = await data(socket, 3), await data(plain, 3)
            assert packed["data"].keys() == bare["data"].keys()
            assert (await ask(socket, " " * 100_000 + '{"action":"ping"}'))["type"] == "pong"
        if deflate:
            async with connect(stream.url, compression=None, extensions=offers) as socket:
                await socket.send(" " * (1024 * 1024 + 1))
                with pytest.raises(ConnectionClosed):
                    await receive(socket)
                assert socket.close_code == 1009
