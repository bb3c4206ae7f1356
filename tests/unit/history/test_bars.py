import asyncio

from dashboard.core.bars import KEPT, MAX_BARS, Bar, BarsKept, Interval
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.model import Kind, Side, Topic, Trade
from dashboard.history.bars import BUFFER_EVENTS, Bars
from dashboard.hub.hub import Hub
from tests.unit.fakes import SECOND_NS, Clock, closed_bar, price, trade

BTC = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)


def new_hub() -> Hub:
    return Hub(epoch="e1", clock=Clock(), resume_events=10)


def test_an_answer_misses_no_trade() -> None:
    hub = new_hub()
    bars = Bars(hub)
    for second in (1, 1, 61):
        hub.publish(trade(value=second, size=2, ts=second * SECOND_NS))
    assert bars.of(BTC, Interval.M1, 10) == [
        Bar(0, 1, 1, 1, 1, 4),
        Bar(60 * SECOND_NS, 61, 61, 61, 61, 2),
    ]
    assert len(bars.of(BTC, Interval.S1, 10)) == 2
    assert len(bars.of(BTC, Interval.M5, 10)) == 1
    assert bars.of(BTC, Interval.S1, 1)[0].start == 61 * SECOND_NS


def test_only_trades_of_now_and_of_the_instrument_count() -> None:
    hub = new_hub()
    bars = Bars(hub)
    hub.publish(price())
    hub.publish(trade("ETH/USD"))
    hub.publish(
        Trade(
            symbol="BTC/USD",
            exchange="CRYPTO",
            price=1,
            size=1,
            aggressor_side=Side.BUY,
            historical=True,
            ts_event=0,
        )
    )
    assert bars.of(BTC, Interval.S1, 10) == []


def test_each_interval_is_bounded() -> None:
    hub = new_hub()
    bars = Bars(hub)
    for minute in range(2000):
        hub.publish(trade(ts=minute * 60 * SECOND_NS))
    counts = {interval: len(bars.of(BTC, interval, MAX_BARS)) for interval in Interval}
    assert counts == {Interval.S1: 600, Interval.M1: 1440, Interval.M5: 400}
    assert max(limit for _, limit in KEPT.values()) == MAX_BARS == 2016


async def test_it_drains_by_itself_and_ends_with_the_hub() -> None:
    hub = new_hub()
    bars = Bars(hub)
    running = asyncio.create_task(bars.run())
    (subscription,) = hub.subscriptions
    hub.publish(trade())
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(subscription) == 0
    hub.close()
    await asyncio.wait_for(running, 10)
    assert len(bars.of(BTC, Interval.S1, 10)) == 1


def test_what_is_not_drained_in_time_is_counted_as_lost() -> None:
    hub = new_hub()
    bars = Bars(hub)
    for _ in range(BUFFER_EVENTS + 5):
        hub.publish(trade())
    assert hub.totals()["bars"].lost == 5
    assert bars.of(BTC, Interval.M5, 1)[0].volume == BUFFER_EVENTS * 0.25


def test_a_trade_that_fails_is_counted_and_the_others_are_kept() -> None:
    hub = new_hub()
    bars = Bars(hub)
    hub.publish(trade(value=1, ts=SECOND_NS))
    hub.publish(trade(value=None, ts=SECOND_NS))  # type: ignore[arg-type]
    hub.publish(trade(value=3, ts=SECOND_NS))
    assert bars.of(BTC, Interval.S1, 1)[0].close == 3
    assert hub.failures.by_place == {"bars": 1}


def test_whole_bars_of_a_feed_make_those_of_the_intervals_that_they_fill() -> None:
    hub = new_hub()
    bars = Bars(hub)
    hub.publish(closed_bar((10, 15, 8, 9), 7, ts=61 * SECOND_NS))
    hub.publish(closed_bar((9, 20, 9, 12), 5, ts=121 * SECOND_NS))
    assert bars.of(BTC, Interval.S1, 10) == []
    assert bars.of(BTC, Interval.M1, 10) == bars.kept(BTC, Interval.M1)
    assert bars.of(BTC, Interval.M1, 10) == [
        Bar(60 * SECOND_NS, 10, 15, 8, 9, 7),
        Bar(120 * SECOND_NS, 9, 20, 9, 12, 5),
    ]
    assert bars.of(BTC, Interval.M5, 10) == [Bar(0, 10, 20, 8, 12, 12)]
    hub.end(Topic(Kind.CLOSED_BAR, *BTC.key))
    assert bars.of(BTC, Interval.M5, 10) == []


async def test_another_hub_begins_with_the_whole_bars_of_before_and_counts_each_once() -> None:
    hub = new_hub()
    bars = Bars(hub)
    hub.publish(closed_bar((10, 15, 8, 9), 7, ts=61 * SECOND_NS))

    async def ask(key: InstrumentKey) -> BarsKept:
        return bars.keep(key)

    other = Bars(hub, ask=ask)
    hub.publish(closed_bar((9, 20, 9, 12), 5, ts=121 * SECOND_NS))
    await other.load(BTC)
    hub.publish(closed_bar((12, 13, 11, 11), 4, ts=181 * SECOND_NS))
    assert other.of(BTC, Interval.M5, 10) == [Bar(0, 10, 20, 8, 11, 16)]
