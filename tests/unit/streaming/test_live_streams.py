"""The live stream above the sockets: who gets what, in what order, and at whose cost."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle, pairwise
from typing import Any

import pytest

from dashboard.access.places import Places
from dashboard.access.principals import PRINCIPAL
from dashboard.core.directory import Catalogue
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import Kind, Published
from dashboard.core.principal import LOCAL, NOBODY, STRANGER, Principal
from dashboard.protocols import live
from dashboard.streaming.live_backlog import PART_EVENTS
from dashboard.streaming.live_streams import LiveStreams
from tests.unit.fakes import price, trade
from tests.unit.streaming.live_product import Product, frames, listed, offsets
from tests.unit.streaming.receivers import FakeReceiver, until


def stream_of(product: Any) -> LiveStreams:
    return LiveStreams(product, places=Places(limit=100))


async def join(streams: LiveStreams, query: str = "") -> FakeReceiver:
    client = FakeReceiver(query)
    streams.open(client)
    await streams.begin(client)
    return client


async def subscribe(live_streams: LiveStreams, client: FakeReceiver, **asked: Any) -> None:
    request = json.dumps({"type": "subscribe", **asked}).encode()
    await live_streams.answer(client, request, address="127.0.0.1")


def spread(streams: LiveStreams) -> None:
    """Let everybody have what has come."""
    streams.dispatch()
    streams.fanout.flush()


@asynccontextmanager
async def running(product: Product) -> AsyncGenerator[LiveStreams]:
    streams = stream_of(product)
    async with asyncio.TaskGroup() as group:
        group.create_task(streams.run())
        yield streams
        product.hub.close()


async def test_what_came_before_another_client_s_arrival_comes_to_each_once() -> None:
    product = Product(conflates=True)
    async with running(product) as streams:
        ann = await join(streams)
        product.hub.publish(price("AAPL", 1.5))
        await until(lambda: bool(ann.got))
        product.hub.publish(price("AAPL", 2.5))  # the pump waits for its interval to end
        bob = await join(streams)
        assert offsets(frames(bob.got)) == [2], "at once"
        assert offsets(frames(ann.got)) == [1], "in its interval"
        await until(lambda: offsets(frames(ann.got)) == [1, 2])
        assert offsets(frames(bob.got)) == [2]
    assert ann.ended
    assert bob.ended


async def test_a_subscribe_undoes_nobody_else_s_conflation() -> None:
    product = Product(conflates=True)
    streams = stream_of(product)
    watching, restless = await join(streams), await join(streams)
    for count in range(100):
        product.hub.publish(price("AAPL"))
        product.hub.publish(price("TSLA"))
        await subscribe(streams, restless, symbols=[("AAPL", "TSLA")[count % 2]])
    spread(streams)
    assert len(frames(watching.got)) == 2, "the latest of each, though another subscribed a lot"


async def test_a_filter_brings_what_waits_then_the_answer_then_what_it_adds() -> None:
    product = Product(Catalogue(feed="a", standing=[listed("AAA"), listed("BBB")]), conflates=True)
    streams = stream_of(product)
    client = await join(streams)
    await subscribe(streams, client, symbols=["AAA"])
    spread(streams)
    client.got.clear()
    for event in (price("AAA"), trade("AAA"), price("BBB"), price("AAA"), trade("AAA")):
        product.hub.publish(event)
    await subscribe(streams, client, symbols=["AAA", "BBB"])
    got = frames(client.got)
    assert [frame["type"] for frame in got] == ["trade", "price", "trade", "subscribed", "price"]
    assert offsets(got) == [2, 4, 5, 3]
    product.hub.publish(price("BBB"))
    spread(streams)
    assert offsets(frames(client.got)) == [2, 4, 5, 3, 6]


async def test_an_event_that_cannot_be_written_is_counted_and_the_others_come() -> None:
    write = live.encoder("e")

    def encode(published: Published) -> str:
        if published.event.topic.subject == "BAD":
            raise OverflowError("int too big to convert")
        return write(published)

    product = Product(encode=encode)
    streams = stream_of(product)
    ann = await join(streams)
    product.hub.publish(price("BAD"))
    product.hub.publish(price("AAPL"))
    spread(streams)
    bob = await join(streams)  # whose first values hold it too
    assert offsets(frames(ann.got)) == offsets(frames(bob.got)) == [2]
    assert product.hub.failures.by_place == {"live frame": 1}


NASDAQ_AAPL, NSE_AAPL, RESTING = (
    listed("AAPL", "NASDAQ"),
    listed("AAPL", "NSE"),
    listed("TCS", "NSE"),
)
TWO_FEEDS = (
    Catalogue(feed="a", standing=[NASDAQ_AAPL]),
    Catalogue(feed="b", standing=[NSE_AAPL], on_demand=[RESTING]),
)


async def test_of_namesakes_the_first_feed_s_comes_unasked_and_the_other_by_its_id() -> None:
    product = Product(*TWO_FEEDS)
    streams = stream_of(product)
    everyone, one, bare = [await join(streams) for _ in range(3)]
    await subscribe(streams, one, symbols=["NSE:AAPL"])
    await subscribe(streams, bare, symbols=["AAPL"])
    for exchange in ("NASDAQ", "NSE"):
        product.hub.publish(price("AAPL", exchange=exchange))
    spread(streams)
    for client in (everyone, bare, await join(streams)):
        assert offsets(frames(client.got)) == [1]
    assert offsets(frames(one.got)) == [2]
    assert [frame.get("exchange") for frame in frames(one.got)] == [None, "NSE"]


async def test_what_is_on_demand_is_leased_and_comes_to_those_who_name_it_alone() -> None:
    product = Product(*TWO_FEEDS)
    streams = stream_of(product)
    everyone, one = await join(streams), await join(streams)
    await subscribe(streams, one, symbols=["TCS"])
    assert product.leases.depths == {"NSE:TCS": WHOLE_BOOK}
    product.hub.publish(price("TCS", exchange="NSE"))
    spread(streams)
    await subscribe(streams, everyone, symbols=None)
    assert offsets(frames(one.got)) == [1]
    assert offsets(frames(everyone.got)) == []


async def test_leases_end_with_what_names_them() -> None:
    product = Product(*TWO_FEEDS)
    streams = stream_of(product)
    client = await join(streams)
    await subscribe(streams, client, symbols=["TCS", "NSE:AAPL"])
    await subscribe(streams, client, symbols=["TCS"])
    assert product.leases.depths == {"NSE:TCS": WHOLE_BOOK}
    await subscribe(streams, client, symbols=["TCS"], streams=["system"])
    assert product.leases.depths == {}, "nothing of it comes"
    await subscribe(streams, client, symbols=["TCS"])
    streams.close(client)
    assert product.leases.depths == {}


async def test_what_a_feed_refuses_is_named_with_its_reason() -> None:
    product = Product(*TWO_FEEDS)
    product.leases.refusals = {RESTING.key: "too many instruments"}
    streams = stream_of(product)
    client = await join(streams)
    await subscribe(streams, client, symbols=["TCS", "AAPL", "ZZZ"])
    assert frames(client.got) == [
        {
            "type": "subscribed",
            "symbols": ["AAPL"],
            "streams": ["market", "system"],
            "unknown": ["ZZZ"],
            "refused": {"TCS": "too many instruments"},
        }
    ]


async def test_a_bad_request_is_answered_and_the_client_stays() -> None:
    product = Product()
    streams = stream_of(product)
    client = await join(streams)
    for raw in (b"nonsense", b'{"frequency_ms":1' + b"0" * 400 + b"}"):
        await streams.answer(client, raw, address="127.0.0.1")
    product.hub.publish(price("AAPL"))
    spread(streams)
    assert [frame["type"] for frame in frames(client.got)] == ["error", "error", "price"]


CONTROLLER = Principal(user_id="ann", scopes=frozenset({"stream", "control"}), key_id=1)
TRADER = Principal(user_id="ann", scopes=frozenset({"stream", "trade"}), key_id=1)


@pytest.mark.parametrize(
    ("principal", "may"),
    [(LOCAL, True), (CONTROLLER, True), (TRADER, False), (STRANGER, False), (NOBODY, False)],
)
async def test_the_frequency_is_changed_by_who_may(principal: Principal, may: bool) -> None:
    product = Product()
    streams = stream_of(product)
    client = await join(streams)
    client.scope[PRINCIPAL] = principal
    await streams.answer(client, b'{"frequency_ms":25}', address="127.0.0.1")
    assert product.frequencies == [25.0] * may
    assert ["'control'" in frame["error"] for frame in frames(client.got)] == [True] * (not may)


@pytest.mark.parametrize("missed", [0, 1, 3])
async def test_a_resume_gives_what_was_missed(missed: int) -> None:
    product = Product()
    streams = stream_of(product)
    for event in (trade("A"), price("A"), trade("A"), price("A"), trade("A")):
        product.hub.publish(event)
    client = await join(streams, f"since=e:{5 - missed}")
    assert offsets(frames(client.got)) == [3, 4, 5][3 - missed :]
    product.hub.publish(trade("A"))
    spread(streams)
    assert offsets(frames(client.got)) == [3, 4, 5, 6][3 - missed :]


@pytest.mark.parametrize("since", ["e0:1", "garbage", "e:99"])
async def test_an_id_that_cannot_be_resumed_is_answered_by_a_reset(since: str) -> None:
    product = Product()
    streams = stream_of(product)
    product.hub.publish(price("AAA"))
    client = await join(streams, f"since={since}")
    reset, latest = frames(client.got)
    assert (reset["type"], latest["id"]) == ("reset", "e:1")


MISSED, RESUMING = 20_000, 5
TURN_EVENTS = 2 * PART_EVENTS
"""What the backlogs of all clients may have sent in one turn: what is left of it, and a part."""


class CountingReceiver(FakeReceiver):
    """It counts its frames too."""

    def __init__(self, query: str) -> None:
        super().__init__(query)
        self.count = 0

    def write(self, data: bytes) -> None:
        super().write(data)
        self.count += data.count(b'"type"')


async def test_who_resumes_a_lot_takes_little_of_each_turn() -> None:
    product = Product(resume_events=100_000)
    streams = stream_of(product)
    for _ in range(MISSED):
        product.hub.publish(trade("A"))
    clients = [CountingReceiver("since=e:0") for _ in range(RESUMING)]
    sent = [0]
    for client in clients:
        streams.open(client)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(streams.begin(client)) for client in clients]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)  # as everybody else's turns do
            product.hub.publish(trade("A"))
            sent.append(sum(client.count for client in clients))
    assert max(after - before for before, after in pairwise(sent)) <= TURN_EVENTS
    spread(streams)
    for client in clients:
        assert offsets(frames(client.got)) == list(range(1, product.hub.published + 1))


async def test_who_does_not_read_what_it_resumes_has_one_part_of_it_waiting() -> None:
    product = Product(resume_events=100_000)
    streams = stream_of(product)
    for _ in range(MISSED):
        product.hub.publish(trade("A"))
    client = FakeReceiver("since=e:0")
    reads = asyncio.Event()
    client.drained = reads.wait  # type: ignore[method-assign] - it reads slowly
    reads.set()
    streams.open(client)
    beginning = asyncio.create_task(streams.begin(client))
    await until(lambda: bool(client.got))
    client.writable = False
    reads.clear()
    for _ in range(100):
        product.hub.publish(trade("A"))
        spread(streams)
        await asyncio.sleep(0)
    assert len(client.outbox) <= PART_EVENTS
    client.writable = True
    reads.set()
    streams.fanout.release(client)
    await beginning
    spread(streams)
    assert offsets(frames(client.got)) == list(range(1, product.hub.published + 1))


LISTED = 1000


class Unwalked(frozenset[tuple[str, str]]):
    """Keys that are looked up, and neither walked nor hashed."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        raise AssertionError("all that is on demand was walked")

    def __hash__(self) -> int:
        raise AssertionError("all that is on demand was hashed")


async def test_a_client_costs_the_same_however_many_instruments_are_listed() -> None:
    demanded = [listed(f"S{number}", "NSE") for number in range(LISTED)]
    product = Product(Catalogue(feed="a", standing=[NASDAQ_AAPL], on_demand=demanded))
    product.directory.on_demand = Unwalked(product.directory.on_demand)
    product.directory.listings = product.directory.standing = ()
    streams = stream_of(product)
    everyone, one = await join(streams), await join(streams)
    await subscribe(streams, one, symbols=["S7"])
    for event in (price("AAPL", exchange="NASDAQ"), price("S7", exchange="NSE")):
        product.hub.publish(event)
    spread(streams)
    assert offsets(frames(everyone.got)) == [1]
    assert offsets(frames(one.got)) == [2]
    for client in (everyone, one):
        streams.close(client)


async def test_what_is_skipped_while_the_first_values_leave_is_told() -> None:
    product = Product()
    streams = stream_of(product)
    for number in range(PART_EVENTS + 1):
        product.hub.publish(price(f"S{number}"))
    client, reads = FakeReceiver(), asyncio.Event()
    client.drained = reads.wait  # type: ignore[method-assign] - it reads slowly
    reads.set()
    streams.open(client)
    beginning = asyncio.create_task(streams.begin(client))
    await until(lambda: bool(client.got))
    reads.clear()
    for _ in range(10):
        product.hub.publish(price("S0"))
    reads.set()
    await beginning
    got = frames(client.got)
    missing = sum(frame.get("count", 0) for frame in got)
    assert missing == 9
    assert len(offsets(got)) == product.hub.published - missing


@pytest.mark.parametrize("query", ["", "since=e:0", "since=gone"])
@pytest.mark.parametrize("resume_events", [100, 100_000])
async def test_who_joins_follows_at_last_however_much_comes_in_a_turn(
    query: str, resume_events: int
) -> None:
    product = Product(resume_events=resume_events)
    streams = stream_of(product)
    symbols = [f"S{number}" for number in range(4 * PART_EVENTS)]
    for symbol in symbols:
        product.hub.publish(price(symbol))
    client, coming = FakeReceiver(query), cycle(symbols)
    streams.open(client)
    beginning = asyncio.create_task(streams.begin(client))
    turns = 0
    while not beginning.done() and turns < 40:
        turns += 1
        for _ in range(2 * PART_EVENTS):
            product.hub.publish(price(next(coming)))
        await asyncio.sleep(0)
    assert beginning.done()
    spread(streams)
    came = offsets(frames(client.got))
    assert came == sorted(set(came))
    newest = product.hub.latest_of_kinds([Kind.PRICE])
    assert {each.offset for each in newest} <= set(came)
