import asyncio
import random
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import msgspec
import pytest

from dashboard.access.places import Places
from dashboard.core.instruments import Instrument
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import Channel, Pnl, Published
from dashboard.hub.hub import Hub
from dashboard.protocols import sse
from dashboard.streaming.catching_up import PART_BYTES, PART_EVENTS
from dashboard.streaming.event_stream import WRITE_S, EventStreams
from dashboard.streaming.selections import (
    INSTRUMENT_EVENTS,
    Selection,
    account_selection,
    instrument_selection,
)
from tests.event_stream import Event, Reader
from tests.unit.fake_feeds import FakeLeases
from tests.unit.fakes import Clock, book, price, trade

BTC = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)
NEVER_S = 1000.0


def new_hub(resume_events: int = 10_000) -> Hub:
    return Hub(
        epoch="e1",
        clock=Clock(),
        resume_events=resume_events,
        encoders={sse.DIALECT: sse.encoder},
    )


class Client:
    """An HTTP client that reads while it is let."""

    def __init__(self, hub: Hub, since: str | None = None, **options: Any) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.got: list[Event] = []
        self.reader = Reader()
        self.writes = 0
        self.bodies: list[bytes] = []
        self.ended = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._hub = hub
        self._since = since
        self._options: dict[str, Any] = {"heartbeat_s": NEVER_S, "join_s": 0.0} | options
        self._gone = asyncio.Event()

    def connect(
        self,
        selection: Selection | None = None,
        connections: Places | None = None,
        method: str = "GET",
        streams: EventStreams | None = None,
        lease: AbstractAsyncContextManager[None] | None = None,
    ) -> "asyncio.Task[None]":
        streams = streams or EventStreams(connections or Places(limit=1), **self._options)
        scope = {"type": "http", "method": method}
        return asyncio.create_task(
            streams.serve(
                self._hub,
                selection or instrument_selection(BTC),
                self._since,
                lease or nullcontext(),
                scope,
                self._receive,
                self._send,
            )
        )

    def leave(self) -> None:
        self._gone.set()

    @property
    def offsets(self) -> list[int]:
        return [event.offset for event in self.got if event.id]

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        assert not self.ended
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
            return
        await self.reads.wait()
        self.writes += 1
        self.bodies.append(message.get("body", b""))
        if self.status == 200:
            self.got += self.reader.feed(message.get("body", b""))
        if not message.get("more_body"):
            self.ended = True
            self.leave()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_new_client_gets_the_latest_envelopes_then_what_comes() -> None:
    hub = new_hub()
    client = Client(hub)
    for event in (book(), book(), price(), trade(), trade("ETH/USD")):
        hub.publish(event)
    serving = client.connect()
    await settle()
    assert client.offsets == [2, 4]
    for event in (trade("ETH/USD"), price(), trade()):
        hub.publish(event)
    await settle()
    assert client.offsets == [2, 4, 8]
    assert client.status == 200
    assert client.headers == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
    }
    client.leave()
    await serving
    assert not hub.subscriptions


async def test_a_stream_without_events_begins_at_once() -> None:
    hub = new_hub()
    client = Client(hub)
    serving = client.connect(account_selection())
    await settle()
    assert (client.status, client.reader.comments, client.got) == (200, 1, [])
    hub.publish(Pnl(client="ann", exchange="X", pnl=1.5, ts_event=0))
    await settle()
    assert [event.content["type"] for event in client.got] == ["pnl_update"]
    client.leave()
    await serving


@pytest.mark.parametrize("missed", [0, 1, 5, PART_EVENTS, 3 * PART_EVENTS + 7])
async def test_a_resumed_client_gets_each_event_once(missed: int) -> None:
    hub = new_hub()
    client = Client(hub, since="e1:1")
    for _ in range(1 + missed):
        hub.publish(trade())
    serving = client.connect()
    for _ in range(40):  # while it catches up
        hub.publish(trade())
        await asyncio.sleep(0)
    await settle()
    assert client.offsets == list(range(2, 1 + missed + 40 + 1))
    client.leave()
    await serving


async def test_a_hundred_cuts_lose_and_double_nothing() -> None:
    hub, rng = new_hub(resume_events=1_000_000), random.Random(5)
    since: str | None = None
    seen: list[int] = []
    hub.publish(trade())
    for _ in range(100):
        client = Client(hub, since=since)
        serving = client.connect()
        for _ in range(rng.choice((0, 1, 3, 30))):
            hub.publish(rng.choice((trade(), book(), price())))
            if rng.random() < 0.5:
                await asyncio.sleep(0)
        await settle()
        seen += client.offsets
        client.leave()
        await serving
        for _ in range(rng.choice((0, 2, 2 * PART_EVENTS))):
            hub.publish(rng.choice((trade(), price())))
        since = f"e1:{seen[-1]}"
    wants = instrument_selection(BTC).wants
    published = hub.after("e1:0", hub.published, Channel)
    carried = [each.offset for each in published if wants(each.topic) and each.offset <= seen[-1]]
    assert seen[-len(carried) :] == carried
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("since", ["e0:1", "garbage", "e1:999", "e1:1"])
async def test_an_id_that_cannot_be_resumed_gets_a_reset_and_the_snapshot(since: str) -> None:
    hub = new_hub(resume_events=2)
    client = Client(hub, since=since)
    for event in (trade(), book(), trade(), trade()):
        hub.publish(event)
    serving = client.connect()
    await settle()
    reset, *snapshot = client.got
    assert (reset.type, reset.id) == ("reset", "")
    assert reset.content["reason"]
    assert [event.offset for event in snapshot] == [2, 4]
    client.leave()
    await serving


async def test_a_client_too_slow_for_the_ring_gets_a_reset() -> None:
    hub = new_hub(resume_events=2 * PART_EVENTS)
    client = Client(hub, since="e1:0")
    for _ in range(2 * PART_EVENTS):
        hub.publish(trade())
    client.reads.clear()
    serving = client.connect()
    await settle()
    for _ in range(3 * PART_EVENTS):
        hub.publish(trade())
    client.reads.set()
    await settle()
    resets = [at for at, event in enumerate(client.got) if event.type == "reset"]
    assert resets == [PART_EVENTS]
    assert client.offsets[-1] == hub.published
    client.leave()
    await serving


async def test_a_client_that_lags_is_told_and_goes_on_from_the_newest() -> None:
    hub = new_hub()
    client, other = Client(hub), Client(hub)
    places = Places(limit=2)
    serving, other_serving = client.connect(connections=places), other.connect(connections=places)
    await settle()
    client.reads.clear()
    hub.publish(trade())
    for _ in range(INSTRUMENT_EVENTS + 10):
        await settle()
        hub.publish(trade())
    await settle()
    assert other.offsets == list(range(1, INSTRUMENT_EVENTS + 12))
    client.reads.set()
    await settle()
    assert [(event.type, event.id, event.content) for event in client.got if not event.id] == [
        ("warn", "", {"lagged": 10})
    ]
    assert client.got[1].type == "warn"
    assert client.offsets == [1, *range(12, INSTRUMENT_EVENTS + 12)]
    for each in (client, other):
        each.leave()
    await serving
    await other_serving


async def test_what_comes_within_the_join_time_goes_out_in_one_write() -> None:
    hub = new_hub()
    client = Client(hub, join_s=0.05)
    serving = client.connect()
    await settle()
    hub.publish(trade())
    await settle()
    assert client.offsets == [1]  # at once, as nothing was written since the last one
    before = client.writes
    for _ in range(10):
        hub.publish(trade())
        await asyncio.sleep(0)
    hub.close()
    await asyncio.wait_for(serving, 10)
    assert client.offsets == list(range(1, 12))
    assert client.writes == before + 2  # all ten, and the end


async def test_the_join_time_grows_with_the_busy_clients_and_shrinks_again() -> None:
    streams, loop = EventStreams(Places(limit=1), join_s=0.001), asyncio.get_running_loop()
    for busy, join_s in ((50, 50 * WRITE_S), (1, 0.001)):
        await asyncio.gather(*(streams.tick(loop, loop.time()) for _ in range(busy)))
        assert streams.join_s == join_s


async def test_events_of_one_instrument_are_joined_once_whatever_another_does() -> None:
    hub, streams = new_hub(), EventStreams(Places(limit=3), join_s=0)
    eth = instrument_selection(Instrument(symbol="ETH/USD", exchange="CRYPTO", tick_size=0.01))
    first, second, other = (Client(hub) for _ in range(3))
    serving = [each.connect(streams=streams) for each in (first, second)]
    serving.append(other.connect(eth, streams=streams))
    await settle()
    second.reads.clear()  # it comes to the last event after the other instrument's
    for event in (trade(), trade(), trade("ETH/USD")):
        hub.publish(event)
        await settle()
    second.reads.set()
    await settle()
    assert first.offsets == second.offsets == [1, 2]
    assert other.offsets == [3]
    assert first.bodies[-1] is second.bodies[-1]
    for client in (first, second, other):
        client.leave()
    await asyncio.gather(*serving)


async def test_a_turn_of_the_loop_reads_one_part_for_all_who_catch_up() -> None:
    encoded = 0
    encode = sse.encoder("e1")

    def counted(published: Published) -> str:
        nonlocal encoded
        encoded += 1
        return encode(published)

    hub = Hub(
        epoch="e1",
        clock=Clock(),
        resume_events=100_000,
        encoders={sse.DIALECT: lambda _epoch: counted},
    )
    for number in range(20 * PART_EVENTS):
        hub.publish(trade("BTC/USD" if number % 2 else "ETH/USD"))
    streams = EventStreams(Places(limit=20), join_s=0)
    clients = [Client(hub, since=f"e1:{missed * PART_EVENTS}") for missed in range(20)]
    serving = [client.connect(streams=streams) for client in clients]
    most = 0
    while any(hub.published not in client.offsets[-1:] for client in clients):
        before = encoded
        await asyncio.sleep(0)
        most = max(most, encoded - before)
    assert most <= PART_EVENTS
    for client in clients:
        client.leave()
    await asyncio.gather(*serving)


async def test_a_part_ends_where_it_has_many_bytes() -> None:
    hub = new_hub()
    large = "x" * 100_000
    for _ in range(10):
        hub.publish(msgspec.structs.replace(trade(), envelope=f'{{"type":"trade","x":"{large}"}}'))
    client = Client(hub, since="e1:0")
    serving = client.connect()
    await settle()
    assert client.offsets == list(range(1, 11))
    assert max(map(len, client.bodies)) < PART_BYTES + 110_000
    client.leave()
    await serving


async def test_the_heartbeat_comes_by_its_own_timer() -> None:
    hub = new_hub()
    client = Client(hub, heartbeat_s=0.001)
    serving = client.connect()
    async with asyncio.timeout(10):
        while client.reader.comments < 5:
            hub.publish(trade())
            await asyncio.sleep(0.001)
    assert client.offsets == list(range(1, len(client.offsets) + 1))
    client.leave()
    await serving


async def test_heartbeats_do_not_pile_up_for_a_client_that_does_not_read() -> None:
    hub = new_hub()
    client = Client(hub, heartbeat_s=0.0005)
    serving = client.connect()
    await settle()
    client.reads.clear()
    await asyncio.sleep(0.05)
    before = client.reader.comments
    client.leave()
    await asyncio.wait_for(serving, 10)
    assert client.reader.comments <= before + 2


async def test_the_stream_ends_when_the_hub_closes_and_gives_its_place_back() -> None:
    hub, places = new_hub(), Places(limit=1)
    client = Client(hub)
    serving = client.connect(connections=places)
    await settle()
    assert places.open == 1
    hub.publish(trade())
    hub.close()
    await asyncio.wait_for(serving, 10)
    assert client.ended
    assert client.offsets == [1]
    assert await places.drained()


async def test_a_client_that_leaves_while_it_does_not_read_is_let_go() -> None:
    hub, places = new_hub(), Places(limit=1)
    client = Client(hub)
    serving = client.connect(connections=places)
    await settle()
    client.reads.clear()
    hub.publish(trade())
    await settle()
    client.leave()
    await asyncio.wait_for(serving, 10)
    assert places.open == 0
    assert not hub.subscriptions


async def test_no_more_clients_than_allowed() -> None:
    hub, places = new_hub(), Places(limit=1)
    first, second = Client(hub), Client(hub)
    serving = first.connect(connections=places)
    await settle()
    await second.connect(connections=places)
    assert (second.status, second.ended, places.refused) == (503, True, 1)
    first.leave()
    await serving


async def test_head_gets_the_headers_alone() -> None:
    hub, places = new_hub(), Places(limit=1)
    client = Client(hub)
    hub.publish(trade())
    await client.connect(connections=places, method="HEAD")
    assert (client.status, client.ended, client.got, places.open) == (200, True, [], 0)


async def test_a_client_has_its_lease_while_it_is_served() -> None:
    leases = FakeLeases()
    client = Client(new_hub())
    serving = client.connect(lease=leases.lease(BTC, name="sse", depth=WHOLE_BOOK))
    await settle()
    assert leases.depths == {BTC.id: WHOLE_BOOK}
    client.leave()
    await serving
    assert leases.depths == {}


async def test_who_is_refused_a_lease_is_told_why_and_leaves_its_place() -> None:
    leases = FakeLeases()
    leases.refusals[BTC.key] = "not in your plan"
    places = Places(limit=1)
    client = Client(new_hub())
    await client.connect(connections=places, lease=leases.lease(BTC, name="sse"))
    assert client.status == 503
    assert b"".join(client.bodies) == b"its feed does not deliver it: not in your plan\n"
    assert places.admit()


async def test_who_finds_no_place_leases_nothing() -> None:
    leases = FakeLeases()
    places = Places(limit=1)
    assert places.admit()
    client = Client(new_hub())
    await client.connect(connections=places, lease=leases.lease(BTC, name="sse"))
    assert client.status == 503
    assert leases.closed == 0
