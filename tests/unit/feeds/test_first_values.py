"""The first value of what is leased is there when the lease is, not with the next tick."""

import asyncio

import pytest

from dashboard.core.instruments import Instrument
from dashboard.core.model import Book, Kind, OpenInterest, Price, Quote, Topic
from dashboard.feeds.derived import Derived
from dashboard.feeds.simulator import Simulator
from tests.unit.fakes import Clock
from tests.unit.feeds.test_leases import World, leasing, settle


def latest(world: World, kind: Kind, instrument: Instrument) -> object:
    published = world.hub.latest_of(Topic(kind, *instrument.key))
    return None if published is None else published.event


@pytest.mark.parametrize("depth", [0, 5, 30])
async def test_the_simulator_tells_where_an_instrument_stands_when_it_is_leased(
    depth: int,
) -> None:
    feed = Simulator(interval_ms=1000, clock=Clock(), seed=1)
    async with leasing(feed) as world:
        running = asyncio.ensure_future(
            feed.run(Derived(world.hub.publish, world.hub.latest_of).publish)
        )
        await settle()
        option, index = (world.directory.named(name)[0] for name in (OPTION, "NIFTY_50"))
        assert latest(world, Kind.PRICE, option) is None
        assert await world.leases.holder("page").add([option, index], depth=depth) == {}
        price, book = (latest(world, kind, option) for kind in (Kind.PRICE, Kind.BOOK))
        assert isinstance(price, Price)
        assert price.price == pytest.approx(180, rel=0.01)
        assert isinstance(book, Book)
        assert len(book.bids) == len(book.asks) == 30
        assert isinstance(latest(world, Kind.QUOTE, option), Quote)
        assert isinstance(latest(world, Kind.OPEN_INTEREST, option), OpenInterest)
        assert isinstance(latest(world, Kind.PRICE, index), Price)
        assert latest(world, Kind.BOOK, index) is None
        before = world.hub.published
        await world.leases.holder("other").add([option], depth=30)
        assert world.hub.published == before
        running.cancel()


OPTION = "NIFTY28DEC2425000CE"


async def test_what_is_leased_before_the_simulator_runs_comes_once_it_does() -> None:
    feed = Simulator(interval_ms=1000, clock=Clock(), seed=1)
    async with leasing(feed) as world:
        option = world.directory.named(OPTION)[0]
        await world.leases.holder("page").add([option])
        assert world.hub.published == 0
        running = asyncio.ensure_future(feed.run(world.hub.publish))
        await settle()
        assert isinstance(latest(world, Kind.PRICE, option), Price)
        running.cancel()
