"""However clients come and go, the feeds deliver what is wanted in the end, and nothing else."""

import ast
import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import WHOLE_BOOK
from dashboard.feeds.base import Refusals
from dashboard.hub.hub import Hub
from tests.unit.fake_feeds import FakeFeed, instrument
from tests.unit.fakes import price
from tests.unit.feeds.test_leases import World, leasing

CLIENTS = 200
INSTRUMENTS = [instrument(f"NSE:S{number}") for number in range(20)]
STEPS = 600
DEPTHS = (5, 20, 30)
KINDS = ("page", "ws", "sse", "openalgo", "rest")
DASHBOARD = Path(__file__).parents[3] / "dashboard"


class TellingFeed(FakeFeed):
    """A feed that gives a first value, so that nobody waits for one."""

    hub: Hub | None = None

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        for each in instruments:
            if self.hub is not None:
                self.hub.publish(price(each.symbol, exchange=each.exchange))
        return await super().subscribe(instruments, depth)


class Client:
    """One client, which takes and leaves leases as its kind does; `wants` is what it has now."""

    def __init__(self, world: World, kind: str, rng: Random) -> None:
        self.wants: dict[InstrumentKey, int] = {}
        self._world = world
        self._kind = kind
        self._rng = rng
        self._holder = world.leases.holder(kind)
        self._stack = AsyncExitStack()

    async def step(self) -> None:
        some = self._rng.sample(INSTRUMENTS, self._rng.randint(1, 5))
        if self._rng.random() < 0.3:
            await self.leave()
            return
        match self._kind:
            case "page":  # watches some, and draws the book of one
                wanted = [(each, WHOLE_BOOK if each is some[0] else 0) for each in some]
                await self._holder.replace(wanted)
                self.wants = {each.key: depth for each, depth in wanted}
            case "ws":
                await self._holder.add(some, depth=WHOLE_BOOK)
                self.wants |= {each.key: WHOLE_BOOK for each in some}
                gone = self._rng.sample(sorted(self.wants), 1)
                self._holder.drop(gone)
                self.wants.pop(gone[0])
            case "sse":
                await self.leave()
                lease = self._world.leases.lease(some[0], name="sse", depth=WHOLE_BOOK)
                await self._stack.enter_async_context(lease)
                self.wants = {some[0].key: WHOLE_BOOK}
            case "openalgo":
                depth = self._rng.choice(DEPTHS)
                await self._holder.add(some, depth=depth)
                for each in some:
                    before = self.wants.get(each.key, 0)
                    self.wants[each.key] = max(before, depth)
                lowered = self._rng.choice(some)
                self._holder.lower(lowered.key, 0)
                self.wants[lowered.key] = 0
            case _:
                await self._world.leases.lend(some[0], depth=WHOLE_BOOK)

    async def leave(self) -> None:
        self.wants = {}
        self._holder.close()
        self._holder = self._world.leases.holder(self._kind)
        await self._stack.aclose()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_what_remains_wanted_is_what_is_subscribed_to(seed: int) -> None:
    rng = Random(seed)
    feed = TellingFeed(on_demand=INSTRUMENTS)
    async with leasing(feed) as world:
        feed.hub = world.hub
        clients = [Client(world, KINDS[number % len(KINDS)], rng) for number in range(CLIENTS)]
        for _ in range(STEPS // 20):
            await asyncio.gather(*(client.step() for client in rng.sample(clients, 20)))
            await world.pass_s(rng.choice((0, 1, 7)))
        for client in rng.sample(clients, rng.randint(0, CLIENTS)):
            await client.leave()
        await world.pass_s(60)  # loans end
        await world.pass_s(10)  # and grace times
        wanted: defaultdict[InstrumentKey, int] = defaultdict(int)
        for client in clients:
            for key, depth in client.wants.items():
                wanted[key] = max(wanted[key], depth)
        assert feed.depths == wanted
        assert sum(world.held.values()) == sum(len(client.wants) for client in clients)


def test_nobody_else_subscribes_to_a_feed() -> None:
    found = {
        path.relative_to(DASHBOARD).as_posix()
        for path in DASHBOARD.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"subscribe", "unsubscribe"}
        and not ast.unparse(node.func.value).rpartition(".")[2].strip("_").endswith("hub")
    }
    assert found == {"feeds/subscriptions.py"}
