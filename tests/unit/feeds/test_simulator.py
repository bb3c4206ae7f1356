import asyncio
from types import SimpleNamespace

import pytest

from dashboard.core.instruments import Instrument
from dashboard.core.model import Event, Kind
from dashboard.feeds import simulator
from dashboard.feeds.simulator import NAP_S, Simulator
from tests.unit.fakes import Clock

BTC = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)


class Timeline:
    """A sleep that moves a clock instead of waiting, and ends the run after a while."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self.naps: list[float] = []
        self._clock = clock
        self._end = clock.now + round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._clock.advance(seconds=max(seconds, 1e-6))
        if self._clock.now >= self._end:
            raise asyncio.CancelledError


async def play(
    feed: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, seconds: float
) -> tuple[list[Event], list[float]]:
    """Run the feed over simulated seconds; give its events and its sleeps."""
    timeline = Timeline(clock, seconds=seconds)
    monkeypatch.setattr(simulator, "asyncio", SimpleNamespace(sleep=timeline.sleep))
    events: list[Event] = []
    with pytest.raises(asyncio.CancelledError):
        await feed.run(events.append)
    return events, timeline.naps


def make(clock: Clock, *, interval_ms: int = 50, symbols: int | None = None) -> Simulator:
    return Simulator(interval_ms=interval_ms, clock=clock, seed=1, symbols=symbols)


def prices_of(events: list[Event], symbol: str) -> int:
    return sum(event.kind is Kind.PRICE and event.topic.subject == symbol for event in events)


async def test_it_plays_the_market_in_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    events, _ = await play(make(clock), clock, monkeypatch, seconds=10)
    assert prices_of(events, "BTC/USD") == pytest.approx(200, abs=1)
    times = [event.ts_event for event in events]
    assert times == sorted(times)


@pytest.mark.parametrize("step_s", [-7200, -0.06, 7200])
async def test_a_wall_clock_that_is_set_moves_the_times_and_not_the_market(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    wall, clock = Clock(), Clock(0)
    feed = Simulator(interval_ms=50, clock=wall, monotonic=clock, seed=1)
    before, _ = await play(feed, clock, monkeypatch, seconds=2)
    wall.advance(seconds=step_s)
    after, _ = await play(feed, clock, monkeypatch, seconds=2)
    assert prices_of(before, "BTC/USD") == pytest.approx(40, abs=1)
    assert prices_of(after, "BTC/USD") == pytest.approx(40, abs=1)
    assert {event.ts_event for event in after} == {wall.now}


async def test_it_sleeps_until_something_is_due_but_never_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    _, naps = await play(make(clock, interval_ms=1000), clock, monkeypatch, seconds=5)
    assert min(naps) >= 0
    assert max(naps) <= NAP_S
    assert len(naps) <= 5 * 101


async def test_a_new_interval_applies_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    feed = make(clock, interval_ms=1000)
    slow, _ = await play(feed, clock, monkeypatch, seconds=2)
    feed.set_interval(10)
    quick, _ = await play(feed, clock, monkeypatch, seconds=2)
    assert prices_of(slow, "AAPL") == pytest.approx(2, abs=1)
    assert prices_of(quick, "AAPL") == pytest.approx(200, abs=2)


async def test_an_unsubscribed_instrument_rests_until_it_is_subscribed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    feed = make(clock)
    await feed.unsubscribe([BTC])
    await feed.unsubscribe([BTC])
    without, _ = await play(feed, clock, monkeypatch, seconds=1)
    assert "BTC/USD" not in {event.topic.subject for event in without}
    assert prices_of(without, "ETH/USD") > 0
    await feed.subscribe([BTC], 5)
    await feed.subscribe([BTC], 5)
    again, _ = await play(feed, clock, monkeypatch, seconds=1)
    assert prices_of(again, "BTC/USD") == pytest.approx(20, abs=1)


async def test_what_is_on_demand_flows_once_it_was_subscribed_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    feed = make(clock)
    reliance = next(each for each in feed.on_demand() if each.symbol == "RELIANCE")
    before, _ = await play(feed, clock, monkeypatch, seconds=1)
    await feed.subscribe([reliance], 0)
    after, _ = await play(feed, clock, monkeypatch, seconds=1)
    assert prices_of(before, "RELIANCE") == 0
    assert prices_of(after, "RELIANCE") == pytest.approx(20, abs=1)
    assert prices_of(after, "AAPL") == pytest.approx(20, abs=1)
    assert reliance not in feed.instruments()


async def test_an_instrument_it_does_not_have_is_refused() -> None:
    feed = make(Clock())
    other = Instrument(symbol="BTC/USD", exchange="ELSEWHERE", tick_size=0.01)
    refused = await feed.subscribe([other, BTC], 0)
    assert refused == {("ELSEWHERE", "BTC/USD"): "no instrument 'BTC/USD'"}
    await feed.unsubscribe([other])
    assert other not in feed.instruments()


async def test_a_failed_run_goes_on_with_the_same_market(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    feed = make(clock)

    def refuse(_event: Event) -> None:
        raise ValueError("nobody takes it")

    with pytest.raises(ValueError, match="nobody takes it"):
        await feed.run(refuse)
    events, _ = await play(feed, clock, monkeypatch, seconds=1)
    assert prices_of(events, "TSLA") == pytest.approx(20, abs=1)


def test_it_is_a_paced_feed_that_never_damages_its_own_data() -> None:
    feed = make(Clock())
    assert feed.paced
    assert (feed.gaps, feed.skipped) == (0, 0)


def test_its_instruments_are_in_the_order_to_show() -> None:
    symbols = [each.symbol for each in make(Clock(), symbols=7).instruments()]
    assert symbols == ["BTC/USD", "ETH/USD", "SOL/USD", "AAPL", "TSLA", "SIM0000", "SIM0001"]
