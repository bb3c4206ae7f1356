import asyncio
import contextlib
import json
import socket as sockets

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from dashboard.core.errors import SettingError
from dashboard.streaming.connection import Timeouts
from tests.integration.stream import (
    AAPL,
    BTC,
    KEY,
    TIMEOUT_S,
    ask,
    client,
    closed,
    data,
    during,
    receive,
    streaming,
)


async def test_every_mode_flows_and_begins_with_the_last_value() -> None:
    async with streaming() as stream, client(stream) as socket:
        for mode in (1, 2, 3):
            reply = await ask(socket, {"action": "subscribe", "mode": mode, **BTC})
            assert reply["status"] == "success"
            first = await data(socket, mode)
            assert (first["symbol"], first["broker"]) == ("BTC/USD", "simulator")
            assert await data(socket, mode) != first
            assert (await ask(socket, {"action": "unsubscribe", "mode": mode, **BTC}))["successful"]


async def test_the_instruments_of_indias_exchanges_flow_with_deep_books() -> None:
    reliance = {"symbol": "RELIANCE", "exchange": "NSE"}
    nifty = {"symbol": "NIFTY_50", "exchange": "NSE_INDEX"}
    option = {"symbol": "NIFTY28DEC2425000CE", "exchange": "NFO"}
    async with streaming() as stream, client(stream) as socket:
        await ask(socket, {"action": "subscribe", "symbols": [nifty, option], "mode": "LTP"})
        for depth in (5, 20, 30):
            request = {"action": "subscribe", "mode": "Depth", "depth": depth, **reliance}
            assert (await ask(socket, request))["status"] == "success"
            book = (await data(socket, 3))["data"]["depth"]
            assert (len(book["buy"]), len(book["sell"])) == (depth, depth)
            await ask(socket, {"action": "unsubscribe", "mode": "Depth", **reliance})
        seen = {each["symbol"] for each in await during(socket, 1)}
        assert seen == {"NIFTY_50", "NIFTY28DEC2425000CE"}


async def test_the_derivative_has_an_open_interest_that_moves_and_a_stock_has_none() -> None:
    option = {"symbol": "NIFTY28DEC2425000CE", "exchange": "NFO"}
    reliance = {"symbol": "RELIANCE", "exchange": "NSE"}
    async with streaming() as stream, client(stream) as socket:
        await ask(socket, {"action": "subscribe", "symbols": [reliance], "mode": "Quote"})
        quote = (await data(socket, 2))["data"]
        assert (quote["oi"], quote["prev_oi"]) == (0, 0)
        await ask(socket, {"action": "unsubscribe_all"})
        await ask(socket, {"action": "subscribe", "symbols": [option], "mode": "Quote"})
        seen = set[int]()
        while len(seen) < 3:
            quote = (await data(socket, 2))["data"]
            if quote["oi"]:
                assert quote["oi"] % 25 == 0
                assert quote["prev_oi"] == 4_500_000
                seen.add(quote["oi"])


async def test_requests_sent_in_one_go_are_answered_in_order() -> None:
    requests = [
        {"action": "ping", "_pingId": 1},
        {"action": "authenticate", "api_key": KEY},
        {"action": "subscribe", "mode": 1, **BTC},
        {"action": "ping", "_pingId": 2},
    ]
    async with streaming() as stream, client(stream, key=None) as socket:
        for request in requests:
            await socket.send(json.dumps(request))
        seen = []
        while len(seen) < 4:
            message = await receive(socket)
            if message["type"] != "market_data":
                seen.append(message)
        assert [each["type"] for each in seen] == ["pong", "auth", "subscribe", "pong"]


async def test_an_ended_subscription_is_silent_and_the_others_go_on() -> None:
    async with streaming() as stream, client(stream) as ann, client(stream) as bob:
        for socket in (ann, bob):
            await ask(socket, {"action": "subscribe", "symbols": [BTC, AAPL], "mode": "Quote"})
        await ask(ann, {"action": "unsubscribe", "symbols": [BTC]})
        after = await during(ann, 0.5)
        assert {each["symbol"] for each in after} == {"AAPL"}
        assert {each["symbol"] for each in await during(bob, 0.5)} == {"AAPL", "BTC/USD"}


async def test_a_client_holding_ltp_and_depth_gets_both() -> None:
    async with streaming() as stream, client(stream) as socket:
        for mode in ("LTP", "Depth"):
            await ask(socket, {"action": "subscribe", "mode": mode, **BTC})
        assert {each["mode"] for each in await during(socket, 1)} == {1, 3}


async def test_ltp_is_throttled_per_symbol() -> None:
    async with streaming(frequency_ms=10, ltp_throttle_ms=200) as stream, client(stream) as socket:
        await ask(socket, {"action": "subscribe", "mode": 1, **AAPL})
        assert 2 <= len(await during(socket, 1)) <= 8


async def test_the_port_being_taken_is_one_clear_line() -> None:
    async with streaming() as stream:
        with pytest.raises(SettingError) as caught:
            async with streaming(port=stream.server.port):
                pass
        line = str(caught.value)
        assert line.startswith(f"DASHBOARD_STREAM_PORT={stream.server.port} is not allowed")
        assert "\n" not in line


async def test_who_never_authenticates_is_closed_with_4401() -> None:
    async with (
        streaming(timeouts=Timeouts(authenticate_s=0.2)) as stream,
        client(stream, key=None) as socket,
        client(stream) as known,
    ):
        assert (await ask(socket, {"action": "ping"}))["type"] == "pong"
        assert await closed(socket) == 4401
        assert (await ask(known, {"action": "ping"}))["type"] == "pong"


async def test_a_message_over_one_mib_is_closed_with_1009() -> None:
    async with streaming() as stream:
        async with client(stream) as socket:
            exact = json.dumps({"action": "ping", "x": ""})
            exact = exact[:-2] + "x" * (1024 * 1024 - len(exact)) + exact[-2:]
            assert (await ask(socket, exact))["type"] == "pong"
            await socket.send(exact + " ")
            assert await closed(socket) == 1009
        async with client(stream) as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(b"x" * 1024 for _ in range(1025))
            assert await closed(socket) == 1009


async def test_fragments_and_pings_are_understood() -> None:
    async with streaming() as stream, client(stream) as socket:
        await socket.send(["{", '"action"', ':"ping"}'])
        assert (await receive(socket))["type"] == "pong"
        async with asyncio.timeout(TIMEOUT_S):
            await (await socket.ping())


async def test_a_place_too_many_is_refused_with_1013_and_a_place_comes_back() -> None:
    async with streaming(limit=1) as stream:
        async with client(stream), client(stream, key=None) as second:
            with pytest.raises(ConnectionClosed):
                await receive(second)
            assert second.close_code == 1013
        async with asyncio.timeout(TIMEOUT_S):
            await stream.places.drained()
        async with client(stream) as socket:
            assert (await ask(socket, {"action": "ping"}))["type"] == "pong"


async def test_what_the_guard_refuses_never_gets_in() -> None:
    async with streaming() as stream:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(stream.url, origin=Origin("https://evil.example")):
                pass
        assert caught.value.response.status_code == 403


async def test_hostile_bytes_disturb_nobody() -> None:
    async with streaming() as stream, client(stream) as healthy:
        await ask(healthy, {"action": "subscribe", "mode": 2, **BTC})
        async with client(stream) as socket:
            for hostile in (b"\xff\xfe", "[" * 100_000, "{}", '{"action":"subscribe"}', ""):
                assert (await ask(socket, hostile))["status"] == "error"
        for raw in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 20_000, b"GET / HTTP/1.1\r\nHost:"):
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", stream.server.port)
                writer.write(raw)
                await writer.drain()
                writer.close()
        assert (await data(healthy, 2))["symbol"] == "BTC/USD"


async def test_a_burst_of_connects_is_served_or_refused() -> None:
    async with streaming(limit=100) as stream, client(stream) as healthy:

        async def attempt() -> int | None:
            async with client(stream, key=None, ping_interval=None) as socket:
                try:
                    await ask(socket, {"action": "ping"})
                except ConnectionClosed:
                    return socket.close_code
                return None

        outcomes = await asyncio.gather(*(attempt() for _ in range(300)))
        assert set(outcomes) <= {None, 1013}
        assert (await ask(healthy, {"action": "ping"}))["type"] == "pong"


async def test_a_client_that_stops_reading_is_evicted_and_nobody_else_notices() -> None:
    settings = {"frequency_ms": 10, "simulator_symbols": 400}
    timeouts = Timeouts(drain_s=1)
    async with (
        streaming(timeouts=timeouts, **settings) as stream,
        client(stream, close_timeout=1) as healthy,
    ):
        symbols = [
            {"symbol": each.symbol, "exchange": each.exchange}
            for each in stream.services.directory.listings
        ]
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", stream.server.port))
        stalled = await connect(
            stream.url, sock=raw, compression=None, ping_interval=None, max_queue=1
        )
        try:
            assert (await ask(stalled, {"action": "auth", "api_key": KEY}))["type"] == "auth"
            for socket in (stalled, healthy):
                request = {"action": "subscribe", "symbols": symbols, "mode": "Quote"}
                await socket.send(json.dumps(request))
            evicted = False
            async with asyncio.timeout(60):
                while not evicted:
                    await receive(healthy)
                    evicted = stream.places.open == 1
            assert (await data(healthy, 2))["mode"] == 2
        finally:
            stalled.transport.abort()


async def test_a_shutdown_is_told_with_1001() -> None:
    async with streaming() as stream, client(stream) as socket:
        stream.services.hub.close()
        assert await closed(socket) == 1001
