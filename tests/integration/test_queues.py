"""Every queue is bounded, whatever clients do: they read nothing, flood, and come again at random.

At every look, in items and in bytes:

- a subscription of the hub waits with at most its capacity and one event per topic;
- the outbox of a client holds `OUTBOX_ITEMS` and `OUTBOX_BYTES`;
- of a client's requests `MAX_WAITING` wait, beside those of one more read, and the bytes
  of one largest request beside one that is just being taken;
- what was written to a client and not sent yet is at most `UNSENT_BYTES`;
- connections are at most as many as the port takes.

In any two turns of the loop in a row at most `TURNS_ANSWERS` requests are answered, of
`TURNS_BYTES` together. The memory of the process, which holds the clients too, grows by
at most `MEMORY_MB`. And a healthy client never misses a tick of the market.
"""

import asyncio
import json
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, nullcontext, suppress
from typing import Any

import psutil
import pytest

from dashboard.access.connection_limits import HANDSHAKES
from dashboard.access.keyless import KeylessPlaces
from dashboard.access.listening_socket import ENDING
from dashboard.access.places import Places
from dashboard.access.turns import ANSWER_BYTES, TURN_BYTES
from dashboard.core.model import Book, Channel, Kind, Side, Trade
from dashboard.fanout.outbox import CAPACITY
from dashboard.protocols.openalgo.requests import MAX_REQUEST_BYTES
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.connection import MAX_WAITING, StreamConnection
from dashboard.streaming.event_stream import EventStreams
from dashboard.streaming.reads import READ_BYTES
from dashboard.streaming.selections import Selection
from dashboard.streaming.streams import Streams
from tests.integration.raw_client import PING, RawClient, frame
from tests.integration.stream import KEY, Stream, client, streaming, undisturbed

LASTS_S = 3
PLACES = 30
CLIENTS_PER_KIND = 4
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
TICKS_PER_TURN, TURNS_PER_S = 20, 100

EMPTY_FRAME_BYTES = 6
RECEIVE_BUFFER_BYTES = 4096
TOPICS = 500
"""More topics than the market has."""
OUTBOX_ITEMS = 2 * CAPACITY + TOPICS
OUTBOX_BYTES = 4 * 1024 * 1024
WAITING_ITEMS = MAX_WAITING + READ_BYTES // EMPTY_FRAME_BYTES + 1
WAITING_BYTES = 2 * MAX_REQUEST_BYTES
UNSENT_BYTES = 8 * 1024 * 1024
TURNS_ANSWERS = 2 * (TURN_BYTES // ANSWER_BYTES + 1)
TURNS_BYTES = 2 * (TURN_BYTES + MAX_REQUEST_BYTES)
MEMORY_MB = 128

AUTHENTICATE = frame(json.dumps({"action": "authenticate", "api_key": KEY}).encode())
SUBSCRIBE = frame(
    json.dumps(
        {
            "action": "subscribe",
            "mode": 3,
            "depth": 30,
            "symbols": [{"symbol": each, "exchange": "CRYPTO"} for each in SYMBOLS],
        }
    ).encode()
)
LARGE = frame(json.dumps({"action": "ping", "pad": "x" * (MAX_REQUEST_BYTES - 100)}).encode())
FLOODS = (
    frame(b"") * 5_000,
    frame(b"{}") * 2_000,
    frame(b"", PING) * 3_000,
    frame(b'{"action":"ping"}') * 2_000,
    (SUBSCRIBE + frame(b'{"action":"unsubscribe_all"}')) * 100,
    frame(b"x", fin=False) + frame(b"x", 0, fin=False) * 3_000,
    LARGE * 2,
)
"""What a client may throw at the server, all at once."""

Behaviour = Callable[[Stream, random.Random], Awaitable[None]]


async def reads_nothing(stream: Stream, chance: random.Random) -> None:
    path = chance.choice(["/", "/ws"])
    async with connected(stream, path) as hostile:
        await hostile.send(AUTHENTICATE + SUBSCRIBE if path == "/" else b"")
        await asyncio.sleep(chance.uniform(0, LASTS_S))


async def floods(stream: Stream, chance: random.Random) -> None:
    async with connected(stream, chance.choice(["/", "/ws"])) as hostile:
        if chance.random() < 0.5:
            await hostile.send(AUTHENTICATE)
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.1, 0.8)):
                while True:
                    await hostile.send(chance.choice(FLOODS))
                    await asyncio.sleep(0.02)


async def comes_again(stream: Stream, chance: random.Random) -> None:
    hub = stream.product.hub
    since = f"{hub.epoch}:{chance.randint(0, hub.published)}"
    async with connected(stream, f"/ws?since={since}") as hostile:
        for _ in range(chance.randint(0, 5)):
            await hostile.receive()


async def says_nothing(stream: Stream, chance: random.Random) -> None:
    address = ("127.0.0.1", stream.server.port)
    with ExitStack() as held:
        for _ in range(20):
            held.enter_context(socket.create_connection(address, timeout=5))
        await asyncio.sleep(chance.uniform(0, 0.3))


@asynccontextmanager
async def connected(stream: Stream, path: str) -> AsyncGenerator[RawClient]:
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        raw.connect(("127.0.0.1", stream.server.port))
        hostile = RawClient(*await asyncio.open_connection(sock=raw, limit=RECEIVE_BUFFER_BYTES))
        try:
            await hostile.upgrade(stream.server.port, path)
            yield hostile
        finally:
            hostile.reset()
            await asyncio.sleep(0)  # the loop's turn in which it closes it


class StuckSocket:
    """A client of the page's port that asks again and again, and never reads."""

    def __init__(self, *requests: str) -> None:
        self.scope = {
            "type": "websocket",
            "client": ("127.0.0.1", 1),
            "headers": [],
            "query_string": b"",
        }
        self._requests = requests
        self._sent = 0

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        self._sent += 1
        return {
            "type": "websocket.receive",
            "text": self._requests[min(self._sent, len(self._requests)) - 1],
        }

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()

    async def close(self, _code: int = 1000, _reason: str = "") -> None: ...


async def is_stuck_on_live(stream: Stream, chance: random.Random) -> None:
    socket: Any = StuckSocket('{"type":"subscribe"}', '{"frequency_ms":50}')
    serving = serve_stream(socket, stream.streams.live, KeylessPlaces(), Timeouts())
    await leave_after(chance, serving)


async def is_stuck_on_openalgo(stream: Stream, chance: random.Random) -> None:
    ask = json.dumps({"action": "authenticate", "api_key": KEY})
    socket: Any = StuckSocket(ask, '{"action":"ping"}')
    serving = serve_stream(socket, stream.streams.openalgo, KeylessPlaces(), Timeouts())
    await leave_after(chance, serving)


async def is_stuck_on_events(stream: Stream, chance: random.Random) -> None:
    async def receive() -> dict[str, Any]:
        return await asyncio.Event().wait() and {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    hub = stream.product.hub
    since = f"{hub.epoch}:{chance.randint(0, hub.published)}"
    selection = Selection(
        name="sse",
        key="trades",
        channel=Channel.MARKET,
        wants=lambda topic: topic.kind is Kind.TRADE,
        latest=lambda hub: hub.latest_of_kinds({Kind.TRADE}),
        capacity=512,
    )
    streams = EventStreams(Places(limit=1))
    scope = {"method": "GET"}
    serving = streams.serve(hub, selection, since, nullcontext(), scope, receive, send)
    await leave_after(chance, serving)


async def leave_after(chance: random.Random, serving: Awaitable[None]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(chance.uniform(0.05, 1)):
            await serving


BEHAVIOURS: tuple[Behaviour, ...] = (
    reads_nothing,
    floods,
    comes_again,
    says_nothing,
    is_stuck_on_live,
    is_stuck_on_openalgo,
    is_stuck_on_events,
)


class Turns:
    """What was answered in turns of the loop; `most` are the largest count and bytes of two."""

    def __init__(self) -> None:
        self.most = (0, 0)
        self._counts = (0, 0)
        self._timer: asyncio.Handle | None = None

    def watch(self, streams: Streams) -> None:
        answer = streams.answer

        async def counted(by: Any, raw: bytes, *, address: str) -> None:
            loop = asyncio.get_running_loop()
            self._timer = self._timer or loop.call_soon(self._end)
            count, size = self._counts
            self._counts = (count + 1, size + len(raw))
            await answer(by, raw, address=address)

        streams.answer = counted  # type: ignore[method-assign]

    def _end(self) -> None:
        self.most = (
            max(self.most[0], self._counts[0]),
            max(self.most[1], self._counts[1]),
        )
        self._counts, self._timer = (0, 0), None


class Most:
    """The most that was found of each queue, and the bound that it has to keep."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float]] = {}

    def note(self, queue: str, size: float, bound: float) -> None:
        worst, _ = self.found.get(queue, (0, 0))
        self.found[queue] = (max(size, worst), bound)

    def look(self, stream: Stream) -> None:
        for each in stream.product.hub.subscriptions:
            self.note(f"{each.name} events", len(each), each._buffer.capacity + TOPICS)
        for fanout in (stream.streams.openalgo.fanout, stream.streams.live.fanout):
            for member in fanout._members:
                outbox = member.outbox
                frames = [*outbox._buffer._queue, *outbox._buffer._newest.values()]
                self.note("outbox items", len(frames), OUTBOX_ITEMS)
                self.note("outbox bytes", sum(len(data) for _, data in frames), OUTBOX_BYTES)
        for each in stream.server._connections:
            self._look_at(each)
        taken = stream.server._socket
        assert taken is not None
        self.note("connections", len(taken._taken), PLACES + HANDSHAKES)
        self.note("ending", len(taken._ending), ENDING)
        self.note("places", stream.places.open, PLACES)
        self.note("clients", stream.clients.open, PLACES)

    def _look_at(self, connection: StreamConnection) -> None:
        unsent = connection._transport.underlying_transport.get_write_buffer_size()
        self.note("waiting requests", len(connection._requests), WAITING_ITEMS)
        self.note("waiting bytes", connection._waiting_bytes, WAITING_BYTES)
        self.note("unsent bytes", unsent, UNSENT_BYTES)


async def publish_much(stream: Stream) -> None:
    levels = tuple((100.0 - n, 1.0) for n in range(30))
    number = 0
    while True:
        for _ in range(TICKS_PER_TURN):
            number += 1
            symbol = SYMBOLS[number % len(SYMBOLS)]
            stream.product.hub.publish(
                Book(symbol=symbol, exchange="CRYPTO", bids=levels, asks=levels, ts_event=number)
                if number % 3
                else Trade(
                    symbol=symbol,
                    exchange="CRYPTO",
                    price=number,
                    size=1,
                    aggressor_side=Side.BUY,
                    ts_event=number,
                )
            )
        await asyncio.sleep(1 / TURNS_PER_S)


async def behave(stream: Stream, behaviour: Behaviour, chance: random.Random) -> None:
    while True:
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # it was refused, or cut off
            await behaviour(stream, chance)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_queue_keeps_its_bound(seed: int) -> None:
    chance, turns, most, process = random.Random(seed), Turns(), Most(), psutil.Process()
    async with (
        streaming(limit=PLACES, timeouts=Timeouts(drain_s=1)) as stream,
        undisturbed(stream.url),
        client(stream),
    ):
        for watched in (stream.streams.openalgo, stream.streams.live):
            turns.watch(watched)
        before = process.memory_info().rss
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(publish_much(stream))]
            tasks += [
                group.create_task(behave(stream, each, random.Random(chance.random())))
                for each in BEHAVIOURS
                for _ in range(CLIENTS_PER_KIND)
            ]
            end = asyncio.get_running_loop().time() + LASTS_S
            while asyncio.get_running_loop().time() < end:
                most.look(stream)
                most.note("memory", (process.memory_info().rss - before) >> 20, MEMORY_MB)
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
        most.note("answers in two turns", turns.most[0], TURNS_ANSWERS)
        most.note("bytes in two turns", turns.most[1], TURNS_BYTES)
        assert stream.product.hub.failures.by_place == {}
    assert {each: found for each, found in most.found.items() if found[0] > found[1]} == {}
    assert most.found["outbox items"][0] > 0  # they did press
    assert most.found["waiting requests"][0] > 0
