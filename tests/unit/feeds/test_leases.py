import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument, InstrumentKey, Sent
from dashboard.core.leases import WHOLE_BOOK
from dashboard.feeds import subscriptions
from dashboard.feeds.base import Feed, Refusals
from dashboard.feeds.catalogues import Catalogues
from dashboard.feeds.leases import FeedLeases, LeaseHolder
from dashboard.hub.hub import Hub
from tests.unit.fake_feeds import FakeFeed, instrument
from tests.unit.fakes import Clock, book, price

TCS, INFY, OTHER = (instrument(id_) for id_ in ("NSE:TCS", "NSE:INFY", "NSE:OTHER"))
BTC = instrument("CRYPTO:BTC/USD")


class SlowFeed(FakeFeed):
    """A feed that answers when the test lets it, and may fail."""

    def __init__(self, *instruments: Instrument, name: str = "slow") -> None:
        super().__init__(name, on_demand=instruments)
        self.answers = asyncio.Event()
        self.error: Exception | None = None

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        refused = await super().subscribe(instruments, depth)
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return refused


class World:
    """Leases on feeds, with time that is set by hand."""

    def __init__(self, *feeds: Feed) -> None:
        self.clock = Clock(0)
        self.hub = Hub(epoch="e", clock=self.clock, resume_events=100)
        self.catalogues = Catalogues(feeds, changed=self._changed)
        self.leases = FeedLeases(
            feeds, directory=lambda: self.directory, hub=self.hub, clock=self.clock
        )

    @property
    def directory(self) -> Directory:
        return self.catalogues.directory

    @property
    def held(self) -> dict[str, int]:
        return {name: count for name, count in self.leases.held.items() if count}

    async def pass_s(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.leases.expire()
        await settle()

    async def _changed(self, _directory: Directory) -> None:
        await self.leases.follow_directory()


@asynccontextmanager
async def leasing(*feeds: Feed) -> AsyncGenerator[World]:
    world = World(*feeds)
    task = asyncio.ensure_future(world.leases.run(sleep=_for_ever))
    await settle()
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.wait([task])


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _for_ever(_seconds: float) -> None:
    await asyncio.Event().wait()


def keys(*instruments: Instrument) -> list[InstrumentKey]:
    return [each.key for each in instruments]


async def test_the_first_in_subscribes_and_the_last_out_ends_it_after_a_grace_time() -> None:
    feed = FakeFeed(on_demand=[TCS, INFY])
    async with leasing(feed) as world:
        ann, bob = world.leases.holder("ann"), world.leases.holder("bob")
        assert await ann.add([TCS, INFY]) == {}
        assert await bob.add([TCS]) == {}
        assert await bob.add([TCS]) == {}
        assert feed.calls == [("subscribe", ["NSE:TCS", "NSE:INFY"], 0)]
        assert world.held == {"ann": 2, "bob": 1}
        ann.close()
        ann.close()
        await world.pass_s(10)
        assert feed.calls[1:] == [("unsubscribe", ["NSE:INFY"], 0)]
        bob.drop(keys(TCS, OTHER))
        bob.drop(keys(TCS))
        await world.pass_s(9.9)
        assert feed.depths == {TCS.key: 0}
        await world.pass_s(0.1)
        assert feed.depths == {}
        assert world.held == {}


async def test_who_comes_back_within_the_grace_time_finds_it_subscribed() -> None:
    feed = FakeFeed(on_demand=[TCS])
    async with leasing(feed) as world:
        for _ in range(3):
            async with world.leases.lease(TCS, name="page"):
                await world.pass_s(9)
            await world.pass_s(9)
        assert len(feed.calls) == 1
        await world.pass_s(1)
        assert [call for call, _, _ in feed.calls] == ["subscribe", "unsubscribe"]


async def test_the_deepest_lease_counts_and_a_smaller_one_applies_after_the_grace_time() -> None:
    feed = FakeFeed(on_demand=[TCS])
    async with leasing(feed) as world:
        shallow, deep = world.leases.holder("shallow"), world.leases.holder("deep")
        await shallow.add([TCS], depth=5)
        await deep.add([TCS], depth=30)
        await shallow.add([TCS], depth=20)
        assert [depth for _, _, depth in feed.calls] == [5, 30]
        deep.close()
        await world.pass_s(9)
        assert feed.depths == {TCS.key: 30}
        await world.pass_s(1)
        assert feed.depths == {TCS.key: 20}
        shallow.lower(TCS.key, 50)
        shallow.lower(TCS.key, 0)
        shallow.lower(INFY.key, 0)
        await world.pass_s(10)
        assert feed.depths == {TCS.key: 0}
        assert world.held == {"shallow": 1}


async def test_a_short_lease_does_not_prolong_a_deep_one_that_has_ended() -> None:
    feed = FakeFeed(on_demand=[TCS])
    async with leasing(feed) as world:
        async with world.leases.lease(TCS, name="deep", depth=30):
            pass
        for _ in range(2):
            async with world.leases.lease(TCS, name="short", depth=5):
                await world.pass_s(5)
        assert feed.depths == {TCS.key: 5}


async def test_a_holder_may_replace_all_it_has() -> None:
    feed = FakeFeed(on_demand=[TCS, INFY, OTHER])
    async with leasing(feed) as world:
        page = world.leases.holder("page")
        await page.replace([(TCS, 5), (INFY, 0)])
        await page.replace([(OTHER, 0), (INFY, 5), (TCS, 0)])
        await page.replace([(OTHER, 0), (INFY, 5)])
        assert world.held == {"page": 2}
        await world.pass_s(10)
        assert feed.depths == {INFY.key: 5, OTHER.key: 0}


async def test_those_who_ask_at_once_share_one_call_and_its_refusals() -> None:
    feed = SlowFeed(TCS, INFY)
    feed.refusals[TCS.key] = "not in your plan"
    async with leasing(feed) as world:
        holders = [world.leases.holder("page") for _ in range(5)]
        asked = [asyncio.ensure_future(each.add([TCS, INFY])) for each in holders]
        await settle()
        feed.answers.set()
        assert await asyncio.gather(*asked) == [{TCS.key: "not in your plan"}] * 5
        assert feed.calls == [("subscribe", ["NSE:TCS", "NSE:INFY"], 0)]
        assert world.held == {"page": 5}
        assert [list(each.depths) for each in holders] == [keys(INFY)] * 5


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FeedError(feed="fake", problem="too many"), "too many"),
        (RuntimeError("a bug"), subscriptions.BROKEN),
    ],
)
async def test_a_failure_is_told_to_all_who_asked(error: Exception, told: str) -> None:
    feed = SlowFeed(TCS, INFY)
    feed.error = error
    feed.answers.set()
    async with leasing(feed) as world:
        holder = world.leases.holder("page")
        assert await holder.add([TCS, INFY]) == {TCS.key: told, INFY.key: told}
        assert world.held == {}
        feed.error = None
        assert await holder.add([TCS]) == {}


async def test_a_feed_that_does_not_answer_has_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "ANSWER_WITHIN_S", 0)
    async with leasing(SlowFeed(TCS)) as world:
        with pytest.raises(FeedError, match="did not answer"):
            async with world.leases.lease(TCS, name="sse"):
                pass
        assert world.held == {}


async def test_a_refused_depth_leaves_what_was_held_before() -> None:
    feed = FakeFeed(on_demand=[TCS])
    async with leasing(feed) as world:
        holder, other = world.leases.holder("page"), world.leases.holder("other")
        await holder.add([TCS], depth=5)
        feed.refusals[TCS.key] = "no more than 5"
        assert await holder.add([TCS], depth=30) == {TCS.key: "no more than 5"}
        assert await other.add([TCS], depth=30) == {TCS.key: "no more than 5"}
        assert holder.depths == {TCS.key: 5}
        assert other.depths == {}
        assert await other.add([TCS], depth=5) == {}


async def test_who_stops_waiting_costs_nobody_else_and_holds_nothing() -> None:
    feed = SlowFeed(TCS)
    async with leasing(feed) as world:
        gone, patient = world.leases.holder("gone"), world.leases.holder("patient")
        first = asyncio.ensure_future(gone.add([TCS], depth=30))
        await settle()
        second = asyncio.ensure_future(patient.add([TCS], depth=5))
        await settle()
        first.cancel()
        await settle()
        assert first.cancelled()
        feed.answers.set()
        assert await second == {}
        await settle()
        assert world.held == {"patient": 1}
        assert feed.depths == {TCS.key: 5}


async def test_what_nobody_waits_for_any_more_is_ended_when_the_feed_has_answered() -> None:
    feed = SlowFeed(TCS)
    async with leasing(feed) as world:
        asked = asyncio.ensure_future(world.leases.holder("gone").add([TCS]))
        await settle()
        asked.cancel()
        await settle()
        feed.answers.set()
        await settle()
        assert feed.depths == {}


async def test_a_closed_holder_holds_nothing_though_its_answer_was_to_come() -> None:
    feed = SlowFeed(TCS)
    async with leasing(feed) as world:
        holder = world.leases.holder("page")
        asked = asyncio.ensure_future(holder.add([TCS]))
        await settle()
        holder.close()
        feed.answers.set()
        await asked
        assert await holder.add([TCS]) == {}
        assert await holder.replace([(TCS, 0)]) == {}
        await settle()
        assert (world.held, feed.depths) == ({}, {})


async def test_standing_instruments_are_leased_by_the_product_itself() -> None:
    feed = FakeFeed(standing=[BTC], on_demand=[TCS])
    async with leasing(feed) as world:
        assert feed.depths == {BTC.key: WHOLE_BOOK}
        async with world.leases.lease(BTC, name="page", depth=5):
            pass
        await world.pass_s(100)
        assert feed.depths == {BTC.key: WHOLE_BOOK}
        assert world.held == {"standing": 1}


async def test_a_changed_list_is_followed() -> None:
    feed = FakeFeed(standing=[BTC], on_demand=[TCS])
    async with leasing(feed) as world:
        feed.standing, feed.demanded = [INFY], [TCS, BTC]
        await world.catalogues.refresh()
        await world.pass_s(10)
        assert feed.depths == {INFY.key: WHOLE_BOOK}
        assert world.directory.version == 2


async def test_an_instrument_moves_to_the_feed_that_serves_it_now() -> None:
    first, second = FakeFeed("first"), FakeFeed("second", on_demand=[TCS])
    async with leasing(first, second) as world, world.leases.lease(TCS, name="page", depth=5):
        assert second.depths == {TCS.key: 5}
        first.demanded = [TCS]
        await world.catalogues.refresh()
        await settle()
        assert (first.depths, second.depths) == ({TCS.key: 5}, {})


async def test_an_instrument_that_moves_while_it_is_asked_for_is_asked_for_again() -> None:
    first, second = FakeFeed("first"), SlowFeed(TCS, name="second")
    async with leasing(first, second) as world:
        holder = world.leases.holder("page")
        asked = asyncio.ensure_future(holder.add([TCS], depth=5))
        await settle()
        first.demanded = [TCS]
        first.refusals[TCS.key] = "not in your plan"
        await world.catalogues.refresh()
        second.answers.set()
        assert await asked == {TCS.key: "not in your plan"}
        first.refusals.clear()
        assert await holder.add([TCS], depth=5) == {}
        await settle()
        assert (first.depths, second.depths) == ({TCS.key: 5}, {})
        holder.close()
        await world.pass_s(10)
        assert (first.depths, world.held) == ({}, {})


async def test_an_instrument_that_moves_twice_at_once_is_delivered_by_who_serves_it() -> None:
    first, second = FakeFeed("first"), SlowFeed(TCS, name="second")
    async with leasing(first, second) as world:
        asked = asyncio.ensure_future(world.leases.holder("page").add([TCS], depth=5))
        await settle()
        for demanded in ([TCS], []):
            first.demanded = demanded
            await world.catalogues.refresh()
        second.answers.set()
        assert await asked == {}
        await settle()
        assert (first.depths, second.depths) == ({}, {TCS.key: 5})


async def test_a_feed_that_is_started_again_is_subscribed_again_to_what_is_wanted() -> None:
    feed, other = FakeFeed("one", on_demand=[TCS, INFY]), FakeFeed("two", on_demand=[BTC])
    async with leasing(feed, other) as world:
        holder = world.leases.holder("page")
        await holder.add([TCS, BTC], depth=5)
        await holder.add([INFY])
        feed.depths.clear()
        await world.leases.renew("one")
        assert feed.depths == {TCS.key: 5, INFY.key: 0}
        assert len(other.calls) == 1


async def test_what_no_feed_has_is_refused() -> None:
    async with leasing(FakeFeed(on_demand=[TCS])) as world:
        assert await world.leases.holder("page").add([INFY, TCS]) == {INFY.key: "no feed has it"}


async def test_once_the_feeds_have_ended_everybody_is_refused() -> None:
    feed = SlowFeed(TCS, INFY)
    async with leasing(feed) as world:
        holder = world.leases.holder("page")
        asked = asyncio.ensure_future(holder.add([TCS]))
        await settle()
    assert await asked == {TCS.key: subscriptions.ENDED}
    assert await holder.add([INFY]) == {INFY.key: subscriptions.ENDED}


async def test_what_is_lent_is_held_for_a_minute_and_each_call_renews_it() -> None:
    feed = FakeFeed(on_demand=[TCS, INFY])
    async with leasing(feed) as world:
        await world.pass_s(0)
        world.hub.publish(price("TCS", exchange="NSE"))
        world.hub.publish(price("INFY", exchange="NSE"))
        await world.leases.lend(TCS)
        await world.pass_s(30)
        await world.leases.lend(INFY)
        await world.leases.lend(TCS)
        await world.pass_s(59)
        assert world.held == {"rest": 2}
        await world.pass_s(1)
        assert world.held == {}
        await world.pass_s(10)
        assert feed.depths == {}
        feed.refusals[TCS.key] = "not today"
        with pytest.raises(FeedError, match="not today"):
            await world.leases.lend(TCS)


@pytest.mark.parametrize(("depth", "waits"), [(0, False), (5, True)])
async def test_a_loan_waits_for_a_first_value_of_the_kind_that_is_wanted(
    depth: int, waits: bool
) -> None:
    btc = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=1, sends=(Sent.BOOK,))
    async with leasing(FakeFeed(on_demand=[btc])) as world:
        lent = asyncio.ensure_future(world.leases.lend(btc, depth=depth))
        await settle()
        assert not lent.done()
        world.hub.publish(price())
        await settle()
        assert lent.done() is not waits
        world.hub.publish(book())
        async with asyncio.timeout(10):
            await lent
        assert not world.hub.subscriptions


async def test_a_loan_waits_no_longer_than_two_seconds_after_the_subscription() -> None:
    async with leasing(FakeFeed(on_demand=[TCS])) as world:
        await world.leases.holder("page").add([TCS])
        world.clock.advance(seconds=2)
        async with asyncio.timeout(1):
            await world.leases.lend(TCS)


async def test_a_value_of_before_the_subscription_is_no_first_value() -> None:
    async with leasing(FakeFeed(on_demand=[TCS])) as world:
        world.hub.publish(price("TCS", exchange="NSE"))
        world.clock.advance(seconds=60)
        lent = asyncio.ensure_future(world.leases.lend(TCS))
        await settle()
        assert not lent.done()
        lent.cancel()


def test_a_holder_begins_with_nothing() -> None:
    holder = World(FakeFeed()).leases.holder("page")
    assert isinstance(holder, LeaseHolder)
    assert holder.depths == {}
