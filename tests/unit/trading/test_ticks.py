"""Ticks and bars for who follows an instrument, from what the hub publishes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dashboard.core.instruments import Instrument
from dashboard.core.model import Event, Kind, Topic
from dashboard.core.trading.model import MarketData
from dashboard.hub.hub import Hub
from dashboard.trading.ticks import Follower, Ticks
from tests.unit.clocks import Clocks
from tests.unit.fakes import book
from tests.unit.trading.parts import AAPL, BTC, MINUTES, UNTOLD, minute, price, quote, trade

SECOND_MS = 1000


class Followed:
    """Ticks with one who follows, and what that one was given."""

    def __init__(self, instrument: Instrument = BTC, length_ms: int | None = None) -> None:
        self.clocks = Clocks()
        self.flows = True
        self.given: list[MarketData] = []
        self.hub = Hub(
            epoch="e",
            clock=self.clocks.wall,
            monotonic=self.clocks.monotonic,
            resume_events=1000,
        )
        self.ticks = Ticks(self.hub, flows=lambda _: self.flows, monotonic=self.clocks.monotonic)
        self.follower = self.follow(instrument, length_ms)

    def follow(self, instrument: Instrument, length_ms: int | None = None) -> Follower:
        follower = self.ticks.follow(instrument, length_ms, self.given.append)
        follower.begin()
        return follower

    def publish(self, *events: Event) -> list[MarketData]:
        """Publish events, and give what came of them."""
        for event in events:
            self.hub.publish(event)
        self.ticks.take()
        return self.taken()

    def taken(self) -> list[MarketData]:
        given, self.given[:] = list(self.given), []
        return given

    def look(self, *, ms: float) -> list[MarketData]:
        """Let time pass, and look at what is due."""
        self.clocks.advance(seconds=ms / 1000)
        self.ticks.look()
        return self.taken()


def test_a_tick_is_each_trade_also_at_an_unchanged_price() -> None:
    followed = Followed()
    first, second = followed.publish(trade(100.0, ms=5, size=2.0), trade(100.0, ms=5, size=3.0))
    assert first == MarketData(
        symbol="BTCUSDT",
        timestamp=5,
        open=100.0,
        high=100.0,
        low=100.0,
        close=100.0,
        volume=2.0,
        bid=100.0,
        ask=100.0,
    )
    assert second.volume == 3.0


def test_prices_are_no_ticks_of_what_sends_trades() -> None:
    followed = Followed()
    assert followed.publish(price(100.0, of=BTC), price(100.0, of=BTC, derived=True)) == []


def test_where_no_trades_are_sent_each_price_is_a_tick() -> None:
    followed = Followed(AAPL)
    (tick,) = followed.publish(price(175.0, ms=9))
    assert (tick.close, tick.volume, tick.timestamp) == (175.0, 3.0, 9)


def test_of_one_whose_feed_does_not_tell_prices_are_ticks_until_a_trade_comes() -> None:
    followed = Followed(UNTOLD)
    assert len(followed.publish(price(1.0, of=UNTOLD))) == 1
    events = (trade(2.0, of=UNTOLD), price(2.0, of=UNTOLD, derived=True), price(3.0, of=UNTOLD))
    assert [each.close for each in followed.publish(*events)] == [2.0]


def test_books_and_quotes_are_no_ticks_and_the_last_quote_is_bid_and_ask() -> None:
    followed = Followed()
    assert followed.publish(quote(99.0, 101.0), book("BTCUSDT")) == []
    (tick,) = followed.publish(trade(100.0))
    assert (tick.bid, tick.ask) == (99.0, 101.0)
    (tick,) = followed.publish(quote(None, 102.0), trade(100.0))
    assert (tick.bid, tick.ask) == (100.0, 102.0)


def test_a_quote_from_before_one_followed_counts_and_a_price_does_not() -> None:
    followed = Followed(AAPL)
    followed.hub.publish(quote(99.0, 101.0))
    followed.hub.publish(trade(100.0))
    follower = followed.follow(BTC)
    assert follower.line.last is not None
    assert (follower.line.last.close, follower.line.last.bid) == (100.0, 99.0)
    assert followed.taken() == []


def test_what_the_feed_repeats_from_before_is_no_tick() -> None:
    followed = Followed()
    assert followed.publish(structs.replace(trade(100.0), historical=True)) == []


def test_a_source_whose_time_has_jumped_begins_other_bars() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(trade(1.0, ms=5500))
    (bar,) = followed.publish(structs.replace(trade(2.0, ms=500), anew=True))
    assert (bar.timestamp, bar.close) == (5000, 1.0)
    (bar,) = followed.publish(trade(3.0, ms=1000))
    assert (bar.timestamp, bar.close) == (0, 2.0)


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_nothing_is_traded_at_a_price_that_is_not_above_0(value: float) -> None:
    assert Followed().publish(trade(value)) == []


def test_many_follow_one_instrument_and_the_hub_is_left_when_nobody_does() -> None:
    followed = Followed()
    others = [followed.follow(BTC) for _ in range(2)]
    followed.follow(AAPL)
    assert len(followed.publish(trade(100.0))) == 3
    for each in (followed.follower, *others, *others):
        each.leave()
    assert followed.publish(trade(100.0), price(1.0)) == [tick(1.0, volume=3.0, symbol="AAPL")]
    (subscription,) = followed.hub.subscriptions
    assert not subscription.wants(Topic(Kind.TRADE, "CRYPTO", "BTCUSDT"))


def tick(value: float, *, volume: float = 1.0, symbol: str = "BTCUSDT") -> MarketData:
    return MarketData(
        symbol=symbol,
        timestamp=0,
        open=value,
        high=value,
        low=value,
        close=value,
        volume=volume,
        bid=value,
        ask=value,
    )


def test_at_rest_nothing_comes_but_the_last_price_is_known() -> None:
    followed = Followed()
    followed.follower.rest()
    assert followed.publish(trade(100.0)) == []
    assert followed.follower.line.last is not None
    assert followed.follower.line.last.close == 100.0


def test_a_bar_is_complete_with_the_first_tick_of_a_later_one() -> None:
    followed = Followed(length_ms=SECOND_MS)
    assert followed.publish(trade(1.0, ms=100), trade(3.0, ms=500), trade(2.0, ms=999)) == []
    (bar,) = followed.publish(trade(9.0, ms=1000))
    assert (bar.timestamp, bar.open, bar.high, bar.low, bar.close, bar.volume) == (0, 1, 3, 1, 2, 3)


def test_a_bar_is_complete_200_ms_after_its_end_by_the_clock_of_its_source() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(trade(1.0, ms=900))
    assert followed.look(ms=299) == []
    followed.clocks.set_wall(seconds=3600)
    assert followed.look(ms=0) == []
    (bar,) = followed.look(ms=1)
    assert bar.timestamp == 0
    assert followed.look(ms=5000) == []


def test_a_source_that_is_behind_gets_its_200_ms_too() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.clocks.advance(seconds=10)
    followed.publish(trade(1.0, ms=500))
    assert followed.look(ms=699) == []
    assert len(followed.look(ms=1)) == 1


def test_while_the_feed_is_stale_a_bar_waits_for_a_tick() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(trade(1.0, ms=900))
    followed.flows = False
    assert followed.look(ms=10_000) == []
    followed.flows = True
    assert len(followed.publish(trade(1.0, ms=9000))) == 1


def test_late_ticks_are_counted_over_rests_too() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(trade(1.0, ms=500), trade(1.0, ms=1500), trade(1.0, ms=400))
    assert followed.follower.late == 1
    followed.follower.begin()
    followed.publish(trade(1.0, ms=2500), trade(1.0, ms=3500), trade(1.0, ms=2400))
    assert followed.follower.late == 2


def test_a_rest_leaves_a_gap() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(trade(1.0, ms=500))
    followed.follower.rest()
    followed.publish(trade(2.0, ms=700))
    followed.follower.begin()
    followed.publish(trade(3.0, ms=1100))
    (bar,) = followed.publish(trade(4.0, ms=2100))
    assert (bar.timestamp, bar.open, bar.volume) == (1000, 3, 1)


def test_a_bar_has_the_last_quote_before_its_end() -> None:
    followed = Followed(length_ms=SECOND_MS)
    followed.publish(quote(9.0, 11.0), trade(10.0, ms=100), quote(8.0, 12.0, ms=900))
    (bar,) = followed.publish(quote(7.0, 13.0, ms=1000), trade(10.0, ms=1100))
    assert (bar.bid, bar.ask) == (8.0, 12.0)


def test_one_who_fails_costs_the_others_nothing() -> None:
    followed = Followed()

    def fail(_tick: MarketData) -> None:
        raise RuntimeError

    followed.ticks.follow(AAPL, None, fail).begin()
    assert len(followed.publish(price(1.0), trade(2.0))) == 1
    assert followed.hub.failures.by_place == {"runners": 1}


async def test_it_runs_until_the_hub_closes() -> None:
    followed = Followed()
    running = asyncio.create_task(followed.ticks.run())
    for number in range(1000):
        followed.hub.publish(trade(100.0 + number))
    async with asyncio.timeout(10):
        while len(followed.given) < 1000:  # noqa: ASYNC110 - it is another's state
            await asyncio.sleep(0)
    followed.hub.close()
    await running


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0.5, 1e6)), max_size=60))
def test_bars_hold_each_tick_once_or_it_was_late(ticks: list[tuple[int, float]]) -> None:
    followed = Followed(length_ms=SECOND_MS)
    bars = followed.publish(*(trade(value, ms=ms) for ms, value in ticks))
    bars += followed.look(ms=20_000)
    assert sum(bar.volume for bar in bars) + followed.follower.late == len(ticks)
    times = [bar.timestamp for bar in bars]
    assert times == sorted(set(times))
    assert all(bar.low <= bar.close <= bar.high for bar in bars)


def test_a_whole_bar_is_handed_on_as_its_feed_has_it() -> None:
    followed = Followed(MINUTES, 60_000)
    assert followed.publish(minute(5, 10.0), price(10.0, of=MINUTES)) == [
        MarketData(
            symbol="BTC-PERP",
            timestamp=300_000,
            open=9.0,
            high=12.0,
            low=8.0,
            close=10.0,
            volume=7.0,
            bid=10.0,
            ask=10.0,
        )
    ]


def test_whole_bars_make_longer_ones_with_the_last_of_them() -> None:
    followed = Followed(MINUTES, 300_000)
    assert followed.publish(*(minute(number, 10.0) for number in range(5, 9))) == []
    (made,) = followed.publish(minute(9, 11.0))
    assert (made.timestamp, made.open, made.close, made.volume) == (300_000, 9.0, 11.0, 35.0)
    assert followed.look(ms=99 * SECOND_MS) == []


def test_bars_that_are_played_again_begin_anew() -> None:
    followed = Followed(MINUTES, 300_000)
    made = followed.publish(minute(5, 10.0), minute(0, 20.0, anew=True), minute(4, 21.0))
    assert [(bar.timestamp, bar.volume) for bar in made] == [(300_000, 7.0), (0, 14.0)]
    assert followed.follower.late == 0


async def test_what_is_taken_at_once_keeps_its_order_behind_what_waits() -> None:
    followed = Followed()
    running = asyncio.create_task(followed.ticks.run())
    for number in range(1000):
        followed.hub.publish(trade(number + 1.0, ms=number))
    for _ in range(3):
        await asyncio.sleep(0)
    assert 0 < len(followed.given) < 1000
    followed.hub.publish(trade(5000.0, ms=5000))
    followed.ticks.take()
    closes = [tick.close for tick in followed.taken()]
    assert closes == [*map(float, range(1, 1001)), 5000.0]
    followed.hub.close()
    await running
