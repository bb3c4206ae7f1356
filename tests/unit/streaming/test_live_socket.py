import asyncio
import json
from typing import Any

import pytest

from dashboard.access.places import Places
from dashboard.access.principals import PRINCIPAL
from dashboard.core.instruments import Instrument
from dashboard.core.principal import LOCAL, NOBODY, Principal
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from dashboard.streaming.live_socket import serve_live
from tests.unit.fakes import Clock, price, trade


class Socket:
    """A WebSocket whose client sends what the test puts in, and keeps what it gets."""

    def __init__(self, principal: Principal = NOBODY, /, **query_params: str) -> None:
        self.scope = {PRINCIPAL: principal}
        self.query_params = query_params
        self.got: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def say(self, text: str) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        return await self._inbox.get()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        if self.closed is not None:
            raise RuntimeError("sent after the close")
        self.got.append(json.loads(text))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.closed is not None:
            raise RuntimeError("closed twice")
        self.closed = (code, reason)
        await settle()
        self.leave()


def listed(symbol: str, exchange: str = "CRYPTO") -> Instrument:
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)


RESTING = listed("TCS", "NSE")


class Running:
    """The services, as far as a connection uses them."""

    def __init__(self) -> None:
        self.hub = Hub(
            epoch="e1",
            clock=Clock(),
            resume_events=1000,
            encoders={live.DIALECT: live.encoder},
        )
        self.listings = [listed("AAA"), listed("BBB"), listed("AAA", "NSE"), RESTING]
        self.on_demand = frozenset({RESTING.key})
        self.delivered: list[str] = []
        self.frequencies: list[float] = []
        self.frequency_ms = 50
        self.conflates = False

    def set_frequency(self, frequency_ms: float) -> None:
        self.frequencies.append(frequency_ms)

    def named(self, name: str) -> list[Instrument]:
        return [each for each in self.listings if name in (each.symbol, each.id)]

    async def deliver(self, instrument: Instrument) -> None:
        self.delivered.append(instrument.id)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def connect(
    running: Running, socket: Socket, connections: Places | None = None
) -> "asyncio.Future[None]":
    places = connections or Places(limit=1)
    return asyncio.ensure_future(serve_live(socket, running, places))  # pyright: ignore[reportArgumentType] - fakes


def ids(socket: Socket) -> list[str]:
    return [frame["id"] for frame in socket.got if "id" in frame]


async def test_a_new_client_gets_the_latest_values_then_what_comes() -> None:
    running, socket = Running(), Socket()
    for event in (price("AAA"), price("AAA"), price("BBB")):
        running.hub.publish(event)
    serving = connect(running, socket)
    await settle()
    running.hub.publish(trade("AAA"))
    await settle()
    assert ids(socket) == ["e1:2", "e1:3", "e1:4"]
    socket.leave()
    await serving


async def test_a_client_that_resumes_gets_what_it_missed() -> None:
    running, socket = Running(), Socket(since="e1:1")
    for event in (trade("AAA"), price("AAA"), trade("AAA"), price("AAA"), trade("AAA")):
        running.hub.publish(event)
    serving = connect(running, socket)
    await settle()
    assert ids(socket) == ["e1:3", "e1:4", "e1:5"]
    socket.leave()
    await serving


@pytest.mark.parametrize("query", [{}, {"since": "e1:1"}])
async def test_an_event_at_the_seam_arrives_once(query: dict[str, str]) -> None:
    running, socket = Running(), Socket(**query)
    running.hub.publish(trade("AAA"))
    serving = connect(running, socket)
    asyncio.get_running_loop().call_soon(running.hub.publish, trade("AAA"))
    await settle()
    assert ids(socket)[-1:] == ["e1:2"]
    assert len(ids(socket)) == len(set(ids(socket)))
    socket.leave()
    await serving


async def test_an_id_that_cannot_be_resumed_is_answered_by_a_reset() -> None:
    running, socket = Running(), Socket(since="e0:1")
    running.hub.publish(price("AAA"))
    serving = connect(running, socket)
    await settle()
    assert socket.got[0]["type"] == "reset"
    assert "another epoch" in socket.got[0]["reason"]
    assert ids(socket) == ["e1:1"]
    socket.leave()
    await serving


async def test_a_lagging_client_is_told_what_it_did_not_get() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    await settle()
    for _ in range(live.BUFFER_EVENTS):
        running.hub.publish(price("AAA"))
        running.hub.publish(trade("AAA"))
    for _ in range(10):
        running.hub.publish(trade("AAA"))
    await settle()
    for _ in range(live.BUFFER_EVENTS):
        await asyncio.sleep(0)
    expected = {"type": "conflated", "count": live.BUFFER_EVENTS - 1 + 10, "lost_trades": 10}
    assert socket.got[0] == expected
    assert ids(socket) == sorted(ids(socket), key=lambda each: int(each.partition(":")[2]))
    assert len(ids(socket)) == live.BUFFER_EVENTS + 1
    socket.got.clear()
    for _ in range(live.BUFFER_EVENTS + 2):
        running.hub.publish(price("AAA"))
    await settle()
    told = {"type": "conflated", "count": live.BUFFER_EVENTS + 1, "lost_trades": 0}
    assert socket.got[0] == told, "only what is new since the last notice"
    assert len(ids(socket)) == 1
    socket.leave()
    await serving


async def test_a_bad_request_is_answered_and_the_connection_stays() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    socket.say("nonsense")
    socket.say('{"frequency_ms":1' + "0" * 400 + "}")
    await settle()
    running.hub.publish(price("AAA"))
    await settle()
    assert [frame["type"] for frame in socket.got] == ["error", "error", "price"]
    socket.leave()
    await serving


async def test_who_may_not_change_the_frequency_is_told_the_scope_that_is_missing() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    socket.say('{"frequency_ms":25}')
    await settle()
    socket.leave()
    await serving
    assert running.frequencies == []
    problem = "this needs an API key with the scope 'control'"
    assert socket.got == [{"type": "error", "error": problem}]


async def test_a_frequency_is_handed_on() -> None:
    running, socket = Running(), Socket(LOCAL)
    serving = connect(running, socket)
    socket.say('{"frequency_ms":25}')
    socket.leave()
    await serving
    assert running.frequencies == [25.0]
    assert socket.got == []


async def test_a_filter_names_unknown_symbols_and_brings_what_it_added() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    await settle()
    socket.say('{"type":"subscribe","symbols":["AAA","ZZZ"],"streams":["market"]}')
    await settle()
    running.hub.publish(price("AAA"))
    running.hub.publish(price("BBB"))
    await settle()
    socket.say('{"type":"subscribe","symbols":["AAA","BBB"],"streams":["market"]}')
    await settle()
    told, first, widened, added = socket.got
    assert told == {
        "type": "subscribed",
        "symbols": ["AAA"],
        "streams": ["market"],
        "unknown": ["ZZZ"],
    }
    assert (first["symbol"], added["symbol"]) == ("AAA", "BBB")
    assert widened["symbols"] == ["AAA", "BBB"]
    socket.leave()
    await serving


async def test_a_symbol_brings_all_that_have_it_and_an_id_the_one() -> None:
    running, socket = Running(), Socket()
    for exchange in ("CRYPTO", "NSE"):
        running.hub.publish(price("AAA", exchange=exchange))
    serving = connect(running, socket)
    await settle()
    socket.got.clear()
    socket.say('{"type":"subscribe","symbols":["NSE:AAA"]}')
    await settle()
    for exchange in ("CRYPTO", "NSE"):
        running.hub.publish(price("AAA", exchange=exchange))
    await settle()
    socket.say('{"type":"subscribe","symbols":["AAA"]}')
    await settle()
    one, newest, both, added = socket.got
    assert (one["symbols"], both["symbols"]) == (["NSE:AAA"], ["AAA"])
    assert (newest["id"], added["id"]) == ("e1:4", "e1:3")
    socket.leave()
    await serving


async def test_what_is_on_demand_comes_to_those_who_name_it_alone() -> None:
    running, everyone, one, late = Running(), Socket(), Socket(), Socket()
    places = Places(limit=3)
    serving = [connect(running, socket, places) for socket in (everyone, one)]
    await settle()
    one.say('{"type":"subscribe","symbols":["TCS"]}')
    await settle()
    assert running.delivered == ["NSE:TCS"]
    running.hub.publish(price("TCS", exchange="NSE"))
    running.hub.publish(price("AAA"))
    serving.append(connect(running, late, places))
    await settle()
    everyone.say('{"type":"subscribe"}')
    await settle()
    assert ids(one) == ["e1:1"]
    assert ids(late) == ["e1:2"]
    assert ids(everyone) == ["e1:2"]
    for socket in (everyone, one, late):
        socket.leave()
    await asyncio.gather(*serving)


async def test_a_frame_that_is_too_big_ends_the_connection() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    socket.say(" " * (live.MAX_REQUEST_BYTES + 1))
    await serving
    assert socket.closed is not None
    assert socket.closed[0] == 1009
    assert running.hub.subscriptions == frozenset()


async def test_nothing_is_sent_after_the_close_for_a_frame_that_is_too_big() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    await settle()
    socket.say(" " * (live.MAX_REQUEST_BYTES + 1))
    for _ in range(20):
        running.hub.publish(price("AAA"))
        await asyncio.sleep(0)
    await asyncio.wait_for(serving, timeout=1)
    assert socket.closed is not None


async def test_a_client_is_told_when_the_hub_closes() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    await settle()
    running.hub.publish(price("AAA"))
    running.hub.close()
    await serving
    assert ids(socket) == ["e1:1"]
    assert socket.closed == (1001, "the server is shutting down")


async def test_a_request_during_the_last_sends_does_not_hold_the_connection() -> None:
    running, socket = Running(), Socket()
    serving = connect(running, socket)
    await settle()
    socket.reads.clear()
    running.hub.publish(price("AAA"))
    await settle()
    socket.say("nonsense")
    await settle()
    running.hub.close()
    socket.reads.set()
    await asyncio.wait_for(serving, timeout=1)
    assert socket.closed == (1001, "the server is shutting down")


async def test_a_client_without_a_place_is_refused_and_one_that_leaves_makes_room() -> None:
    running, places = Running(), Places(limit=1)
    first, second, third = Socket(), Socket(), Socket()
    serving = connect(running, first, places)
    await settle()
    await connect(running, second, places)
    assert second.closed == (1013, "all 1 places are taken")
    first.leave()
    await serving
    assert running.hub.subscriptions == frozenset()
    third.leave()
    await connect(running, third, places)
    assert third.closed is None
    assert places.open == 0


async def test_feed_with_a_rate_of_its_own_is_conflated_every_interval() -> None:
    running, socket = Running(), Socket()
    running.conflates = True
    serving = connect(running, socket)
    await settle()
    running.hub.publish(price("AAA"))
    await settle()
    for event in (price("AAA"), trade("AAA"), price("AAA"), trade("AAA"), price("BBB")):
        running.hub.publish(event)
    await settle()
    assert ids(socket) == ["e1:1"], "the rest waits for the interval"
    socket.say('{"type":"subscribe","symbols":["AAA"]}')
    await settle()
    assert socket.got[-1]["type"] == "subscribed", "an answer does not wait"
    running.hub.close()
    async with asyncio.timeout(5):
        await serving
    assert [frame["type"] for frame in socket.got].count("trade") == 2


async def test_conflation_keeps_the_latest_price_and_every_trade() -> None:
    running, socket = Running(), Socket()
    running.conflates, running.frequency_ms = True, 20
    serving = connect(running, socket)
    await settle()
    running.hub.publish(price("AAA"))
    await settle()
    for event in (price("AAA"), trade("AAA"), price("AAA"), trade("AAA"), price("BBB")):
        running.hub.publish(event)
    await asyncio.sleep(0.1)
    assert ids(socket) == ["e1:1", "e1:3", "e1:4", "e1:5", "e1:6"]
    socket.leave()
    await serving
