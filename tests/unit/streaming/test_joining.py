"""Clients that join and change their filters at any moment, beside a plain model of each."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.access.places import Places
from dashboard.core.directory import Catalogue
from dashboard.core.model import Published, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.protocols.live_filters import STREAMS, Filter, kinds_of
from dashboard.streaming.live_streams import LiveStreams
from tests.unit.fakes import book, price, system, trade
from tests.unit.runner_events import tick, transition
from tests.unit.streaming.live_product import Product, frames, listed
from tests.unit.streaming.receivers import FakeReceiver

SYMBOLS = ["AAA", "BBB", "CCC"]
RUNNERS = {"r1": "AAA", "r2": "BBB"}
TOLD = [
    make(runner, symbol=symbol) for make in (tick, transition) for runner, symbol in RUNNERS.items()
]
EVENTS = [
    *(make(symbol) for make in (price, trade, book) for symbol in SYMBOLS),
    system(),
    *TOLD,
]
SUBSCRIBE = st.fixed_dictionaries(
    {
        "symbols": st.none() | st.lists(st.sampled_from(SYMBOLS), unique=True),
        "streams": st.lists(st.sampled_from(sorted(STREAMS)), unique=True),
        "runners": st.none() | st.lists(st.sampled_from(sorted(RUNNERS)), unique=True),
    }
)
CLIENTS = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(EVENTS),
        st.sampled_from(EVENTS),
        st.sampled_from(["dispatch", "flush"]),
        st.tuples(CLIENTS, st.sampled_from(["join", "resume", "leave", "stop", "read"])),
        st.tuples(CLIENTS, SUBSCRIBE),
    ),
    max_size=60,
)


def wants(wanted: Filter, published: Published) -> bool:
    event = published.event
    if isinstance(event, RunnerEvent):
        return wanted.wants_event(event)
    return wanted.wants(published.topic, common=True)


class Client:
    """A connection, and every event that it may get since it joined.

    One comes twice to who gave up its topic and asked for it again.
    """

    def __init__(self, receiver: FakeReceiver, wanted: Filter) -> None:
        self.receiver = receiver
        self.wanted = wanted
        self.events: dict[int, Published] = {}
        self.owed: Counter[int] = Counter()

    def owe(self, published: Published) -> None:
        if wants(self.wanted, published):
            self.events[published.offset] = published
            self.owed[published.offset] += 1


def inner(frame: dict[str, Any]) -> dict[str, Any]:
    """Give what holds the id: of what runners tell, the object behind the tag."""
    return frame if "type" in frame else next(iter(frame.values()))


class World:
    """A stream with some clients, and what each is owed."""

    def __init__(self, *, conflates: bool) -> None:
        catalogue = Catalogue(feed="a", standing=[listed(each) for each in SYMBOLS])
        self.product: Any = Product(catalogue, conflates=conflates)
        self.streams = LiveStreams(self.product, places=Places(limit=9))
        self.clients: dict[int, Client] = {}
        self.latest: dict[Topic, Published] = {}
        self.log: list[Published] = []

    async def take(self, step: Any) -> None:
        if step == "dispatch":
            self.streams.dispatch()
        elif step == "flush":
            self.streams.fanout.flush(1)
        elif isinstance(step, tuple):
            await self.let(*step)
        else:
            published = self.product.hub.publish(step)
            self.latest[published.topic] = published
            self.log.append(published)
            for client in self.clients.values():
                client.owe(published)

    async def let(self, number: int, act: Any) -> None:
        client = self.clients.get(number)
        if act in ("join", "resume"):
            if client is None:
                await self.join(number, since=len(self.log) // 2 if act == "resume" else None)
        elif client is None:
            return
        elif act == "leave":
            self.check(client)
            self.streams.close(client.receiver)
            del self.clients[number]
        elif act == "stop":
            client.receiver.writable = False
            self.streams.fanout.pause(client.receiver)
        elif act == "read" or not client.receiver.writable:
            client.receiver.writable = True
            self.streams.fanout.release(client.receiver)
        else:
            await self.subscribe(client, act)

    async def join(self, number: int, *, since: int | None) -> None:
        receiver = FakeReceiver("" if since is None else f"since=e:{since}")
        client = self.clients[number] = Client(receiver, Filter())
        self.streams.open(receiver)
        await self.streams.begin(receiver)
        for published in self.log[since or 0 :]:
            current = self.latest[published.topic] is published
            event = published.event
            every = not event.conflatable or isinstance(event, RunnerEvent)
            if current or (since is not None and every):
                client.owe(published)

    async def subscribe(self, client: Client, asked: dict[str, Any]) -> None:
        raw = json.dumps({"type": "subscribe", **asked}).encode()
        before = client.wanted
        await self.streams.answer(client.receiver, raw, address="")
        symbols, runners = asked["symbols"], asked["runners"]
        client.wanted = Filter(
            None if symbols is None else frozenset(("CRYPTO", each) for each in symbols),
            kinds_of(asked["streams"]),
            None if runners is None else frozenset(runners),
        )
        for published in self.latest.values():
            if not wants(before, published):
                client.owe(published)

    def check(self, client: Client) -> None:
        """See that all that is owed has come, in order, and nothing twice or that is not owed."""
        client.receiver.writable = True
        self.streams.fanout.release(client.receiver)
        self.streams.dispatch()
        self.streams.fanout.flush()
        got = [inner(frame) for frame in frames(client.receiver.got)]
        came = [int(each["id"].partition(":")[2]) for each in got if "id" in each]
        assert Counter(came) <= client.owed
        trades = {n for n, each in client.events.items() if not each.event.conflatable}
        newest = {each.topic: n for n, each in sorted(client.events.items())}
        assert Counter({n: client.owed[n] for n in trades}) <= Counter(came)
        assert set(newest.values()) <= set(came)
        by_topic: dict[Topic, list[int]] = {}
        for number in came:
            by_topic.setdefault(client.events[number].topic, []).append(number)
        assert all(numbers == sorted(numbers) for numbers in by_topic.values())


@pytest.mark.parametrize("conflates", [False, True])
@given(steps=STEPS)
def test_there_is_no_gap_no_double_and_the_order_is_kept(conflates: bool, steps: list[Any]) -> None:
    async def play() -> None:
        world = World(conflates=conflates)
        for step in steps:
            await world.take(step)
        for client in world.clients.values():
            world.check(client)

    asyncio.run(play())
