"""Feeds to test with, which say nothing by themselves, and what follows from what they list."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.errors import CommandError
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.feeds.base import Feed, Publish, Refusals


def instrument(id_: str) -> Instrument:
    exchange, _, symbol = id_.partition(":")
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)


def directory_of(*instruments: Instrument, feed: str = "feed") -> Directory:
    """Make a directory of one feed with these standing instruments."""
    return Directory([Catalogue(feed=feed, standing=instruments)])


class FakeLeases:
    """Leases that are all had at once, and noted; it is the one holder, too.

    What is in `refusals` is refused.
    """

    def __init__(self) -> None:
        self.depths: dict[str, int] = {}
        self.lent: list[tuple[str, int]] = []
        self.refusals: dict[InstrumentKey, str] = {}
        self.closed = 0

    def holder(self, name: str) -> "FakeLeases":
        return self

    async def add(self, instruments: Sequence[Instrument], *, depth: int = 0) -> Refusals:
        return await self.take([(each, depth) for each in instruments])

    async def replace(self, wanted: Sequence[tuple[Instrument, int]]) -> Refusals:
        self.depths.clear()
        return await self.take(wanted)

    async def take(self, wanted: Sequence[tuple[Instrument, int]]) -> Refusals:
        for each, depth in wanted:
            if each.key not in self.refusals:
                self.depths[each.id] = max(depth, self.depths.get(each.id, 0))
        keys = [each.key for each, _ in wanted]
        return {key: self.refusals[key] for key in keys if key in self.refusals}

    def lower(self, key: InstrumentKey, depth: int) -> None:
        id_ = ":".join(key)
        self.depths[id_] = min(depth, self.depths[id_])

    def drop(self, keys: Iterable[InstrumentKey]) -> None:
        for key in keys:
            self.depths.pop(":".join(key), None)

    def close(self) -> None:
        self.depths.clear()
        self.closed += 1

    @asynccontextmanager
    async def lease(
        self, instrument: Instrument, *, name: str, depth: int = 0
    ) -> AsyncGenerator[None]:
        await self._hold(instrument, depth)
        yield
        self.close()

    async def lend(self, instrument: Instrument, *, depth: int = 0) -> None:
        await self._hold(instrument, depth)
        self.lent.append((instrument.id, depth))

    async def _hold(self, instrument: Instrument, depth: int) -> None:
        for problem in (await self.add([instrument], depth=depth)).values():
            raise CommandError(problem=problem)


class FakeFeed(Feed):
    """A feed with standing instruments and some on demand, which knows what it is asked for.

    `depths` is what it delivers; what is in `refusals` it refuses. It runs for no time.
    """

    def __init__(
        self,
        name: str = "fake",
        standing: Sequence[Instrument] = (),
        on_demand: Sequence[Instrument] = (),
    ) -> None:
        self.name = name
        self.standing = standing
        self.demanded = on_demand
        self.depths: dict[InstrumentKey, int] = {}
        self.calls: list[tuple[str, list[str], int]] = []
        self.refusals: dict[InstrumentKey, str] = {}

    def instruments(self) -> Sequence[Instrument]:
        return self.standing

    def on_demand(self) -> Sequence[Instrument]:
        return self.demanded

    async def load(self) -> None: ...

    async def run(self, publish: Publish) -> None: ...

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        self.calls.append(("subscribe", [each.id for each in instruments], depth))
        keys = [each.key for each in instruments]
        self.depths |= {key: depth for key in keys if key not in self.refusals}
        return {key: self.refusals[key] for key in keys if key in self.refusals}

    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        self.calls.append(("unsubscribe", [each.id for each in instruments], 0))
        for each in instruments:
            self.depths.pop(each.key, None)


class Unwalked(tuple[Instrument, ...]):
    """Instruments that can be counted and picked by their places, but not walked."""

    def __iter__(self) -> Iterator[Instrument]:
        raise AssertionError("the list is walked")
