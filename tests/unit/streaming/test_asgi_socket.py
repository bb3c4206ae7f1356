"""Both streams through sockets of another server, which take one frame at a time."""

import asyncio
import json
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Scope

from dashboard.access.keyless import KeylessPlaces
from dashboard.access.places import Places
from dashboard.core.directory import Catalogue
from dashboard.core.principal import LOCAL, Principal
from dashboard.protocols import live
from dashboard.streaming.asgi_socket import serve_stream
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.live_backlog import PART_EVENTS
from dashboard.streaming.live_streams import LiveStreams
from dashboard.streaming.openalgo import OpenAlgoStreams
from dashboard.streaming.streams import Streams
from tests.unit.fakes import price, trade
from tests.unit.streaming.live_product import Product, listed, offsets
from tests.unit.streaming.receivers import SCOPE, until

BURST = 10_000
SYMBOLS = [f"S{number}" for number in range(2 * PART_EVENTS)]
"""Their latest values are more than one part of a backlog."""


class Socket:
    """A WebSocket whose client sends what the test puts in, and keeps what it gets."""

    def __init__(self, query: str = "") -> None:
        self.scope: Scope = {
            **SCOPE,
            "query_string": query.encode(),
            "client": ("127.0.0.1", 1),
        }
        self.got: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def say(self, request: Any) -> None:
        text = request if isinstance(request, str) else json.dumps(request)
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        return await self._inbox.get()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        await asyncio.sleep(0)  # as a server does
        if self.closed is not None:
            raise RuntimeError("sent after the close")
        self.got.append(json.loads(text))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.closed is not None:
            raise RuntimeError("closed twice")
        self.closed = (code, reason)


class Served:
    """The streams of a product, and clients of one of them."""

    def __init__(
        self,
        *catalogues: Catalogue,
        limit: int = 9,
        timeouts: Timeouts | None = None,
        conflates: bool = False,
        resume_events: int = 1000,
    ) -> None:
        self.product: Any = Product(*catalogues, conflates=conflates, resume_events=resume_events)
        self.places = Places(limit=limit)
        self._keyless = KeylessPlaces()
        self._timeouts = timeouts or Timeouts()

    def live(self) -> LiveStreams:
        return LiveStreams(self.product, places=self.places)

    def connect(self, streams: Streams, query: str = "") -> "tuple[Socket, asyncio.Task[None]]":
        socket: Any = Socket(query)
        return socket, asyncio.ensure_future(self.serve(socket, streams))

    async def serve(self, socket: Any, streams: Streams) -> None:
        await serve_stream(socket, streams, self._keyless, self._timeouts)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def finished(task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(5):
        await task


async def authenticate(_key: str, _address: str) -> Principal | None:
    return LOCAL


@pytest.mark.parametrize("kind", ["live", "openalgo"])
async def test_who_reads_loses_nothing_of_what_came_in_one_interval(kind: str) -> None:
    served = Served(Catalogue(feed="a", standing=[listed("BTC/USD")]), conflates=True)
    served.product.supervisor = SimpleNamespace(status=lambda: {"a": None})
    openalgo = OpenAlgoStreams(served.product, authenticate=authenticate, places=served.places)
    streams = served.live() if kind == "live" else openalgo
    socket, serving = served.connect(streams)
    if kind == "openalgo":
        socket.say({"action": "authenticate", "api_key": "any"})
        socket.say({"action": "subscribe", "symbol": "BTC/USD", "exchange": "CRYPTO", "mode": 2})
        await until(lambda: len(socket.got) == 2)
    await settle()
    begun = len(socket.got)
    for number in range(BURST):
        served.product.hub.publish(trade("BTC/USD", 100.0 + number))
    streams.dispatch()
    streams.fanout.flush()
    await until(lambda: len(socket.got) == begun + BURST)
    assert streams.fanout.conflated == streams.fanout.lost == 0
    socket.leave()
    await finished(serving)


async def test_what_comes_while_it_is_written_to_is_bounded_and_told() -> None:
    served = Served()
    streams = served.live()
    socket, serving = served.connect(streams)
    await settle()
    socket.reads.clear()
    served.product.hub.publish(price("AAA"))
    streams.dispatch()
    streams.fanout.flush()
    await settle()
    for _ in range(2):
        for _ in range(live.BUFFER_EVENTS):
            served.product.hub.publish(price("AAA"))
            served.product.hub.publish(trade("AAA"))
        streams.dispatch()
        streams.fanout.flush()
    socket.reads.set()
    count = 2 * live.BUFFER_EVENTS
    await until(lambda: len(socket.got) == live.BUFFER_EVENTS + 3)
    lost = count - live.BUFFER_EVENTS
    assert socket.got[1] == {"type": "conflated", "count": count - 1 + lost, "lost_trades": lost}
    assert offsets(socket.got) == sorted(offsets(socket.got))
    socket.leave()
    await finished(serving)


class SlowSocket(Socket):
    """While it takes one frame, two events come: each of another of many topics."""

    def __init__(self, served: "Served") -> None:
        super().__init__()
        self.answers = 0
        self._hub = served.product.hub
        self._symbols = cycle(SYMBOLS)

    async def send_text(self, text: str) -> None:
        await super().send_text(text)
        self.answers += self.got[-1]["type"] == "subscribed"
        for _ in range(2):
            self._hub.publish(price(next(self._symbols)))


async def test_who_takes_less_than_comes_is_answered_and_misses_nothing_untold() -> None:
    served = Served(resume_events=100_000)
    streams = served.live()
    for symbol in SYMBOLS:
        served.product.hub.publish(price(symbol))
    socket: Any = SlowSocket(served)
    serving = asyncio.ensure_future(served.serve(socket, streams))
    for _ in range(2):
        socket.say({"type": "subscribe", "symbols": []})
    await until(lambda: socket.answers == 2 or len(socket.got) > 10 * len(SYMBOLS))
    assert socket.answers == 2
    told = sum(frame.get("count", 0) for frame in socket.got)
    came = offsets(socket.got)
    assert came == sorted(set(came))
    seqs: dict[str, list[int]] = {}
    for frame in socket.got:
        if "seq" in frame:
            seqs.setdefault(frame["symbol"], []).append(frame["seq"])
    assert told == sum(each[-1] - each[0] + 1 - len(each) for each in seqs.values())
    socket.leave()
    await finished(serving)


async def test_who_does_not_read_is_not_disconnected_for_that() -> None:
    served = Served(timeouts=Timeouts(authenticate_s=0, drain_s=0))
    streams = served.live()
    socket, serving = served.connect(streams)
    await settle()
    socket.reads.clear()
    for _ in range(10):
        served.product.hub.publish(price("AAA"))
        streams.dispatch()
        streams.fanout.flush()
        await settle()
    socket.reads.set()
    await until(lambda: offsets(socket.got)[-1:] == [10])
    assert socket.closed is None
    socket.leave()
    await finished(serving)


async def test_a_frame_that_is_too_big_ends_the_connection_and_nothing_follows() -> None:
    served = Served()
    streams = served.live()
    socket, serving = served.connect(streams)
    socket.say(" " * (live.MAX_REQUEST_BYTES + 1))
    for _ in range(20):
        served.product.hub.publish(price("AAA"))
        streams.dispatch()
        streams.fanout.flush()
        await asyncio.sleep(0)
    await finished(serving)
    assert socket.closed is not None
    assert socket.closed[0] == 1009
    assert streams.fanout.clients == 0
    assert served.places.open == 0


async def test_a_client_is_told_when_the_hub_closes_after_all_that_came() -> None:
    served = Served()
    streams = served.live()
    running = asyncio.create_task(streams.run())
    socket, serving = served.connect(streams)
    await settle()
    served.product.hub.publish(price("AAA"))
    served.product.hub.close()
    await finished(serving)
    await finished(running)
    assert offsets(socket.got) == [1]
    assert socket.closed == (1001, "the server is shutting down")
    late, refused = served.connect(streams)
    await finished(refused)
    assert late.closed == socket.closed


async def test_a_request_during_the_last_sends_does_not_hold_the_connection() -> None:
    served = Served()
    streams = served.live()
    running = asyncio.create_task(streams.run())
    socket, serving = served.connect(streams)
    await settle()
    socket.reads.clear()
    served.product.hub.publish(price("AAA"))
    await settle()
    socket.say("nonsense")
    await settle()
    served.product.hub.close()
    await settle()
    socket.reads.set()
    await finished(serving)
    await finished(running)
    assert socket.closed == (1001, "the server is shutting down")


async def test_who_is_ended_while_it_does_not_read_is_cut_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboard.streaming.asgi_socket.LINGER_S", 0.01)
    served = Served()
    streams = served.live()
    socket, serving = served.connect(streams)
    await settle()
    socket.reads.clear()
    served.product.hub.publish(price("AAA"))
    streams.dispatch()
    streams.fanout.flush()
    await settle()
    next(iter(streams._sessions)).end()  # pyright: ignore[reportPrivateUsage] - as the stream does
    await finished(serving)
    assert socket.closed == (1001, "the server is shutting down")


async def test_a_client_without_a_place_is_refused_and_one_that_leaves_makes_room() -> None:
    served = Served(limit=1)
    streams = served.live()
    first, serving = served.connect(streams)
    await settle()
    second, refused = served.connect(streams)
    await finished(refused)
    assert second.closed == (1013, "all 1 places are taken")
    first.leave()
    await finished(serving)
    third, serving = served.connect(streams)
    third.leave()
    await finished(serving)
    assert third.closed is None
    assert served.places.open == 0


async def test_what_fails_for_one_client_closes_it_with_1011(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ValueError("of this request alone")

    served = Served()
    streams = served.live()
    socket, serving = served.connect(streams)
    monkeypatch.setattr(streams, "answer", fail)
    socket.say("anything")
    await finished(serving)
    assert socket.closed == (1011, "internal error")
    assert streams.fanout.clients == served.places.open == 0
