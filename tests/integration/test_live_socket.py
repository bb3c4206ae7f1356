"""`/ws` of the real app with a real WebSocket client."""

import asyncio
import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.ws_client import Message, ask, during, live, offset, receive, until
from tests.live_server import LiveServer

SYMBOLS = {"BTC/USD", "ETH/USD", "SOL/USD", "AAPL", "TSLA"}
FIELDS = {
    "price": ["type", "symbol", "exchange", "price", "volume", "ts", "seq", "id"],
    "trade": ["type", "symbol", "exchange", "price", "size", "side", "ts", "seq", "id"],
    "book": ["type", "symbol", "exchange", "bids", "asks", "ts", "seq", "id"],
    "system": ["type", "cpu_pct", "mem_mb", "msg_rate", "ts", "seq", "id"],
}


@pytest.fixture(autouse=True)
async def default_frequency(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        await ask(socket, {"frequency_ms": 50})
        await until(socket, lambda message: message == message | {"type": "control"})


async def test_four_types_have_exactly_the_fields_of_the_protocol(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        seen = await during(socket, 2.5)
    by_type = {message["type"]: list(message) for message in seen}
    assert {kind: by_type.get(kind) for kind in FIELDS} == FIELDS


async def test_new_client_gets_the_latest_price_of_every_symbol_first(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        await during(socket, 1.2)
    async with live(server.ws_url) as socket:
        first = await until(socket, lambda message: message.get("symbol") == "TSLA")
    assert {message["symbol"] for message in first if message["type"] == "price"} == SYMBOLS
    assert offsets_rise(first)


async def test_no_event_is_missing_and_none_comes_twice(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        seen = await during(socket, 2.0)
    assert offsets_rise(seen)
    topics = seqs_by_topic(seen)
    assert {("price", "AAPL"), ("trade", "BTC/USD"), ("book", "BTC/USD")} <= topics.keys()
    for seqs in topics.values():
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_books_are_not_crossed_and_trades_name_the_aggressor(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        seen = await during(socket, 1.5)
    books = [message for message in seen if message["type"] == "book"]
    assert books
    assert all(book["bids"][0][0] < book["asks"][0][0] for book in books)
    assert all(len(book["bids"]) == len(book["asks"]) == 5 for book in books)
    assert {message["side"] for message in seen if message["type"] == "trade"} <= {"buy", "sell"}


@pytest.mark.parametrize(("asked", "in_force"), [(25, 25), (1, 10), (5000, 1000), (40.4, 40)])
async def test_every_client_is_told_the_frequency_in_force(
    server: LiveServer, asked: float, in_force: int
) -> None:
    async with live(server.ws_url) as asking, live(server.ws_url) as other:
        await ask(asking, {"frequency_ms": asked})
        for socket in (asking, other):
            seen = await until(
                socket, lambda m: m["type"] == "control" and m["frequency_ms"] == in_force
            )
            assert seen[-1]["frequency_ms"] == in_force


async def test_frequency_changes_the_rate_within_two_seconds(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        await ask(socket, {"frequency_ms": 500})
        await during(socket, 1.0)
        slow = await during(socket, 1.0)
        await ask(socket, {"frequency_ms": 10})
        await during(socket, 1.0)
        fast = await during(socket, 1.0)
    assert prices(slow) <= 3 * len(SYMBOLS)
    assert prices(fast) >= 80 * len(SYMBOLS)


async def test_filter_replaces_the_filter_and_names_unknown_symbols(server: LiveServer) -> None:
    async with live(server.ws_url) as socket:
        request = {"type": "subscribe", "symbols": ["AAPL", "NOPE"], "streams": ["market"]}
        await ask(socket, request)
        answer = (await until(socket, lambda message: message["type"] == "subscribed"))[-1]
        after = await during(socket, 1.5)
        await ask(socket, {"type": "subscribe", "symbols": ["BTC/USD"], "streams": ["market"]})
        again = await until(socket, lambda message: message["type"] == "subscribed")
        book = await receive(socket)
    assert answer == {
        "type": "subscribed",
        "symbols": ["AAPL"],
        "streams": ["market"],
        "unknown": ["NOPE"],
    }
    assert {(m["type"], m["symbol"]) for m in after} == {("price", "AAPL")}
    assert "unknown" not in again[-1]
    assert book["symbol"] == "BTC/USD"


@pytest.mark.parametrize(
    "request_",
    [
        "garbage",
        "[1, 2]",
        "null",
        "",
        b"\xff\xfe",
        {"type": "order"},
        {"frequency_ms": "fast"},
        {"frequency_ms": True},
        {"type": "subscribe", "symbols": "AAPL"},
        {"type": "subscribe", "streams": ["weather"]},
        "[" * 5000,
    ],
)
async def test_bad_request_gets_an_error_and_keeps_the_connection(
    server: LiveServer, request_: object
) -> None:
    async with live(server.ws_url) as socket:
        await ask(socket, request_)
        error = (await until(socket, lambda message: message["type"] == "error"))[-1]
        assert "allowed" in error["error"]
        await until(socket, lambda message: message["type"] == "price")


async def test_resume_gives_every_trade_once_and_the_latest_price(server: LiveServer) -> None:
    async with live(server.ws_url) as witness:
        async with live(server.ws_url) as socket:
            before = await during(socket, 0.6)
        cut = max(filter(lambda m: "id" in m, before), key=offset)
        unseen = asyncio.create_task(during(witness, 2.5))
        await asyncio.sleep(1.0)
        async with live(f"{server.ws_url}?since={cut['id']}") as socket:
            after = await during(socket, 1.0)
        truth = await unseen
    end = offset(after[-1])
    missed = [offset(m) for m in truth if m["type"] == "trade" and offset(cut) < offset(m) <= end]
    assert [offset(m) for m in after if m["type"] == "trade"] == missed
    assert len(missed) >= 5
    assert offsets_rise(after)
    assert {m["symbol"] for m in after if m["type"] == "price"} == SYMBOLS


@pytest.mark.parametrize("since", ["garbage", "0:1", "{epoch}:999999999", "{epoch}:-1"])
async def test_unusable_id_gets_a_reset_and_latest_values(server: LiveServer, since: str) -> None:
    async with live(server.ws_url) as socket:
        epoch = (await receive(socket))["id"].partition(":")[0]
    async with live(f"{server.ws_url}?since={since.format(epoch=epoch)}") as socket:
        first, second = await receive(socket), await receive(socket)
    assert first["type"] == "reset"
    assert first["reason"]
    assert "id" in second


async def test_client_that_lags_is_conflated_and_told() -> None:
    with LiveServer(page=False, simulator_symbols=1000) as busy:
        await asyncio.sleep(3)  # until every topic has a latest value
        with socket_of(busy.port) as raw:
            async with live(busy.ws_url, sock=raw, max_queue=1) as client:
                client.transport.pause_reading()
                await asyncio.sleep(8)
                client.transport.resume_reading()
                seen = await until(client, lambda message: message["type"] == "conflated")
                for _ in range(2):  # the second answer comes after all that the first left open
                    await ask(client, {"type": "subscribe", "symbols": [], "streams": []})
                    seen += await until(client, lambda m: m["type"] == "subscribed")
    told = sum(message["count"] for message in seen if message["type"] == "conflated")
    assert told > 0
    assert offsets_rise(seen)
    missing = [seqs[-1] - seqs[0] + 1 - len(seqs) for seqs in seqs_by_topic(seen).values()]
    assert sum(missing) == told


def seqs_by_topic(messages: list[Message]) -> dict[tuple[str, str | None], list[int]]:
    seqs: dict[tuple[str, str | None], list[int]] = {}
    for message in messages:
        if "seq" in message:
            seqs.setdefault((message["type"], message.get("symbol")), []).append(message["seq"])
    return seqs


def socket_of(port: int) -> socket.socket:
    """Connect a socket that holds little, so that the server feels a slow reader soon."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", port))
    small.setblocking(False)
    return small


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "rebound.example"}]
)
async def test_foreign_origin_or_host_is_refused(
    server: LiveServer, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with live(server.ws_url, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403


async def test_own_origin_is_let_in(server: LiveServer) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    async with live(server.ws_url, additional_headers={"Origin": origin}) as socket:
        assert await receive(socket)


async def test_frame_over_64_kib_ends_this_connection_alone(server: LiveServer) -> None:
    async with live(server.ws_url) as good, live(server.ws_url) as bad:
        await ask(bad, json.dumps({"type": "subscribe", "symbols": ["A" * 65_536]}))
        with pytest.raises(ConnectionClosed) as closed:
            await until(bad, lambda _message: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        assert await during(good, 0.5)


async def test_no_more_clients_than_allowed_and_1001_at_shutdown() -> None:
    with LiveServer(page=False, max_clients=2) as small:
        async with live(small.ws_url) as first, live(small.ws_url):
            async with live(small.ws_url) as third:
                with pytest.raises(ConnectionClosed) as closed:
                    await until(third, lambda _message: False)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            stopping = asyncio.create_task(asyncio.to_thread(small.stop))
            with pytest.raises(ConnectionClosed) as closed:
                await until(first, lambda _message: False)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            await stopping


def prices(messages: list[Message]) -> int:
    return sum(message["type"] == "price" for message in messages)


def offsets_rise(messages: list[Message]) -> bool:
    offsets = [offset(message) for message in messages if "id" in message]
    return offsets == sorted(set(offsets))
