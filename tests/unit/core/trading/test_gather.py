from collections.abc import Sequence
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trading.gather import WAIT_MS, Gatherer
from dashboard.core.trading.model import MarketData
from tests.unit.core.trading.fakes import bar

MINUTE = 60_000


def gather(gatherer: Gatherer, *ticks: tuple[int, float]) -> list[MarketData]:
    """Give what comes of ticks, each a time in ms and a price."""
    return [made for at, price in ticks for made in gatherer.add(bar(price, at=at))]


def starts(bars: Sequence[MarketData]) -> list[int]:
    return [each.timestamp for each in bars]


def test_a_bar_is_complete_with_the_first_tick_of_a_later_one() -> None:
    gatherer = Gatherer(MINUTE)
    assert gather(gatherer, (60_500, 10), (70_000, 14), (80_000, 8), (119_999, 9)) == []
    assert gather(gatherer, (120_000, 20)) == [
        bar(9, at=60_000, opens=10, high=14, low=8, volume=4.0)
    ]


def test_a_bar_is_complete_200_ms_after_its_end() -> None:
    gatherer = Gatherer(1000)
    assert gatherer.due_ms is None
    gather(gatherer, (5300, 10))
    assert gatherer.due_ms == 6000 + WAIT_MS
    assert gatherer.due(6199) == ()
    assert gatherer.due(6200) == (bar(10, at=5000),)
    assert gatherer.due(9999) == ()
    assert gatherer.due_ms is None


def test_a_later_tick_for_a_complete_bar_counts_in_none() -> None:
    gatherer = Gatherer(1000)
    gather(gatherer, (5300, 10))
    gatherer.due(6200)
    assert gather(gatherer, (5999, 50), (6500, 11), (5100, 50), (7000, 12)) == [bar(11, at=6000)]
    assert gatherer.late == 2


def test_a_tick_of_an_interval_before_the_first_bar_is_late() -> None:
    gatherer = Gatherer(1000)
    assert gather(gatherer, (5300, 10), (4900, 50)) == []
    assert gatherer.late == 1


def test_an_interval_without_a_tick_has_no_bar() -> None:
    assert starts(gather(Gatherer(1000), (1500, 1), (9500, 2), (20_000, 3))) == [1000, 9000]


def test_bars_are_aligned_to_utc() -> None:
    day = 86_400_000
    assert starts(gather(Gatherer(day), (19_000 * day + 5, 1), (19_001 * day, 2))) == [19_000 * day]


def test_ticks_in_the_wrong_order_open_and_close_by_their_times() -> None:
    gatherer = Gatherer(1000)
    gather(gatherer, (5500, 10), (5800, 11), (5600, 12), (5100, 9))
    assert gatherer.due(6200) == (bar(11, at=5000, opens=9, high=12, low=9, volume=4.0),)


def test_a_bar_has_the_last_quote_before_its_end() -> None:
    gatherer = Gatherer(1000)
    gatherer.quote(5000, bid=1, ask=2)
    gatherer.add(bar(10, at=5300, bid=9, ask=11))
    gatherer.quote(5400, bid=8, ask=12)
    gatherer.quote(5350, bid=1, ask=2)
    gatherer.quote(6000, bid=3, ask=4)
    (made,) = gatherer.due(6200)
    assert (made.bid, made.ask) == (8, 12)


def test_without_a_quote_bid_and_ask_are_the_close() -> None:
    gatherer = Gatherer(1000)
    gather(gatherer, (5300, 10), (5400, 12))
    (made,) = gatherer.due(6200)
    assert (made.bid, made.ask) == (12, 12)


def test_a_jump_of_the_source_s_time_ends_the_bar() -> None:
    gatherer = Gatherer(1000)
    gather(gatherer, (5300, 10))
    assert gatherer.restart() == (bar(10, at=5000),)
    assert gatherer.restart() == ()
    assert gather(gatherer, (1500, 11), (2000, 12)) == [bar(11, at=1000)]
    assert gatherer.late == 0


def minute(number: int, close: float) -> MarketData:
    at = number * MINUTE
    return bar(close, at=at, opens=close - 1, high=close + 2, low=close - 2, volume=10.0)


def test_minutes_make_five_with_the_last_of_them() -> None:
    gatherer = Gatherer(5 * MINUTE, part_ms=MINUTE)
    made = [each for number in range(5, 10) for each in gatherer.add(minute(number, number))]
    assert made == [bar(9, at=5 * MINUTE, opens=4, high=11, low=3, volume=50.0)]
    assert gatherer.add(minute(10, 10)) == ()


def test_minutes_that_lack_the_last_are_complete_with_a_later_one() -> None:
    gatherer = Gatherer(5 * MINUTE, part_ms=MINUTE)
    made = [each for number in (7, 8, 14, 15) for each in gatherer.add(minute(number, number))]
    assert starts(made) == [5 * MINUTE, 10 * MINUTE]
    assert made[0].volume == 20.0
    assert gatherer.due_ms is None
    assert gatherer.due(99 * MINUTE) == ()


def test_a_bar_of_its_own_length_is_complete_at_once() -> None:
    gatherer = Gatherer(MINUTE, part_ms=MINUTE)
    assert gatherer.add(minute(5, 10)) == (minute(5, 10),)
    assert gatherer.add(minute(5, 10)) == ()
    assert gatherer.late == 1


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 99)), min_size=1, max_size=50))
def test_ticks_in_order_make_the_bars_of_their_intervals(ticks: list[tuple[int, int]]) -> None:
    ticks.sort(key=lambda tick: tick[0])
    gatherer = Gatherer(1000)
    made = [*gather(gatherer, *ticks), *gatherer.due(20_000)]
    expected = [
        (1000 * start, prices[0], max(prices), min(prices), prices[-1], len(prices))
        for start, group in groupby(ticks, key=lambda tick: tick[0] // 1000)
        if (prices := [price for _, price in group])
    ]
    found = [(b.timestamp, b.open, b.high, b.low, b.close, b.volume) for b in made]
    assert found == expected
    assert gatherer.late == 0


@given(st.lists(st.one_of(st.integers(0, 9000), st.just(None)), max_size=50))
def test_each_tick_counts_in_one_bar_or_is_late(ticks: list[int | None]) -> None:
    gatherer = Gatherer(1000)
    made: list[MarketData] = []
    newest = 0
    for at in ticks:
        newest = max(newest, at or 0)
        made += gatherer.due(newest + WAIT_MS) if at is None else gatherer.add(bar(1, at=at))
    made += gatherer.restart()
    assert sum(each.volume for each in made) + gatherer.late == sum(at is not None for at in ticks)
    assert starts(made) == sorted(set(starts(made)))
