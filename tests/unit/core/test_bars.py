from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.bars import Bar, BarSeries
from dashboard.core.model import ClosedBar
from tests.unit.fakes import SECOND_NS, closed_bar

MINUTE_NS = 60 * SECOND_NS

trades = st.lists(
    st.tuples(st.integers(0, 30 * SECOND_NS), st.integers(1, 1000), st.integers(1, 100)),
    max_size=60,
)


def series(*of: tuple[float, float, float], interval_s: int = 1, limit: int = 100) -> BarSeries:
    made = BarSeries(interval_s=interval_s, limit=limit)
    for seconds, price, size in of:
        made.apply_trade(round(seconds * SECOND_NS), price, size)
    return made


def test_trades_of_one_interval_make_one_bar() -> None:
    made = series((60, 10, 1), (61, 12, 2), (118, 8, 3), (119.9, 9, 4), interval_s=60)
    assert made.newest(5) == [Bar(60 * SECOND_NS, 10, 12, 8, 9, 10)]


def test_an_interval_without_a_trade_has_no_bar() -> None:
    made = series((1, 10, 1), (4, 11, 1))
    assert [bar.start // SECOND_NS for bar in made.newest(9)] == [1, 4]


def test_a_late_trade_closes_its_bar_when_it_is_the_latest_of_it() -> None:
    made = series((1, 10, 1), (2, 11, 1), (1.5, 20, 5), (1.2, 15, 1))
    assert made.newest(9) == [
        Bar(1 * SECOND_NS, 10, 20, 10, 20, 7),
        Bar(2 * SECOND_NS, 11, 11, 11, 11, 1),
    ]


def test_a_late_trade_opens_its_bar_when_it_is_the_earliest_of_it() -> None:
    made = series((1.5, 10, 1), (1.2, 15, 1), (1.3, 7, 1))
    assert made.newest(9) == [Bar(1 * SECOND_NS, 15, 15, 7, 10, 3)]


@pytest.mark.parametrize("ahead_s", [1, 4, 90, 3600])
def test_a_trade_from_ahead_of_time_does_not_freeze_the_bars(ahead_s: int) -> None:
    made = series((1 + ahead_s, 99, 1))
    for second in range(1, 9):
        for part, price in ((0.1, 10), (0.4, 20), (0.7, 15)):
            made.apply_trade(round((second + part) * SECOND_NS), price, 1)
    bars = {bar.start // SECOND_NS: bar for bar in made.newest(99)}
    assert all(bars[second].close == 15 for second in range(1, 9))
    assert all(bars[second].low == 10 for second in range(1, 9))


def at_clock(made: BarSeries, *seconds: float) -> BarSeries:
    """Trade once at each of these times of the wall clock."""
    for second in seconds:
        ts = round(second * SECOND_NS)
        made.apply_trade(ts, second, 1, received_ns=ts)
    return made


def starts(bars: list[Bar]) -> list[int]:
    return [bar.start // SECOND_NS for bar in bars]


def test_a_full_series_goes_on_when_the_clock_was_set_back() -> None:
    made = at_clock(BarSeries(interval_s=1, limit=5), *range(7200, 7210), *range(3))
    assert starts(made.newest(9)) == [0, 1, 2]
    assert starts(made.kept()) == [0, 1, 2, 7208, 7209]
    at_clock(made, *range(3, 10))
    assert starts(made.kept()) == [5, 6, 7, 8, 9]


def test_bars_are_still_there_when_the_clock_is_set_forward_again() -> None:
    made = at_clock(BarSeries(interval_s=1, limit=50), *range(7200, 7210), 0, 7211)
    assert starts(made.newest(99)) == [0, *range(7200, 7210), 7211]


def test_a_clock_that_was_ahead_for_a_moment_costs_no_bars() -> None:
    made = at_clock(BarSeries(interval_s=1, limit=5), 1, 2, 3, 7200, 4, 5, 6)
    assert starts(made.newest(9)) == [2, 3, 4, 5, 6]


def test_what_has_changed_since_is_told_and_nothing_else() -> None:
    made = series((1, 10, 1), (2, 11, 1))
    before = made.changes
    assert made.changed(before) == []
    made.apply_trade(SECOND_NS, 12, 1)
    assert starts(made.changed(before)) == [1]
    assert starts(made.changed(0)) == [1, 2]


def test_bars_that_come_into_sight_again_have_changed() -> None:
    made = at_clock(BarSeries(interval_s=1, limit=50), 7200, 7201, 3)
    before = made.changes
    at_clock(made, 4)
    assert starts(made.changed(before)) == [4]
    at_clock(made, 7300)
    assert starts(made.changed(before)) == [4, 7200, 7201, 7300]


def test_a_late_trade_of_an_empty_interval_makes_its_bar() -> None:
    made = series((1, 10, 1), (4, 11, 1), (2.5, 20, 5))
    assert [bar.start // SECOND_NS for bar in made.newest(9)] == [1, 2, 4]


def test_a_full_series_forgets_its_oldest_and_takes_nothing_older() -> None:
    made = series((1, 10, 1), (2, 11, 1), (3, 12, 1), (0.5, 9, 1), limit=2)
    assert [bar.start // SECOND_NS for bar in made.newest(9)] == [2, 3]


@given(trades, st.sampled_from([1, 5]))
def test_bars_in_whatever_order_agree_with_sorting_all_trades(
    all_: list[tuple[int, int, int]], interval_s: int
) -> None:
    made = BarSeries(interval_s=interval_s, limit=100)
    for ts, price, size in all_:
        made.apply_trade(ts, price, size)
    interval = interval_s * SECOND_NS
    expected = []
    ordered = sorted(all_, key=lambda each: each[0])  # of one time, in the order of their arrival
    for number, group in groupby(ordered, key=lambda each: each[0] // interval):
        prices, sizes = [], []
        for _, price, size in group:
            prices.append(price)
            sizes.append(size)
        bar = Bar(number * interval, prices[0], max(prices), min(prices), prices[-1], sum(sizes))
        expected.append(bar)
    assert made.newest(100) == made.kept() == expected


@given(trades, st.integers(1, 5), st.integers(0, 8))
def test_out_of_order_bars_are_bounded_sorted_and_whole(
    shuffled: list[tuple[int, int, int]], limit: int, count: int
) -> None:
    made = BarSeries(interval_s=1, limit=limit)
    for ts, price, size in shuffled:
        made.apply_trade(ts, price, size)
    bars = made.newest(100)
    starts = [bar.start for bar in bars]
    assert starts == sorted(set(starts))
    assert len(bars) <= limit
    assert all(bar.low <= min(bar.open, bar.close) for bar in bars)
    assert all(bar.high >= max(bar.open, bar.close) for bar in bars)
    assert made.newest(count) == (bars[-count:] if count else [])


def test_a_trade_that_begins_anew_ends_the_bar_of_its_interval_and_leaves_those_before() -> None:
    made = series((59, 7, 1), (61, 10, 1), (65, 99, 1), interval_s=60)
    seen = made.changes
    made.apply_trade(70 * SECOND_NS, 20, 2, anew=True)
    made.apply_trade(71 * SECOND_NS, 21, 3)
    assert made.newest(9) == [
        Bar(0, 7, 7, 7, 7, 1),
        Bar(60 * SECOND_NS, 20, 21, 20, 21, 5),
    ]
    assert made.changed(seen) == made.newest(1)
    made.apply_trade(130 * SECOND_NS, 5, 1, anew=True)
    assert len(made.newest(9)) == 3


def gathered(*bars: ClosedBar, interval_s: int = 300) -> BarSeries:
    made = BarSeries(interval_s=interval_s, limit=1000)
    for bar in bars:
        made.apply_bar(bar)
    return made


def test_a_whole_bar_of_the_interval_is_its_bar() -> None:
    whole = closed_bar((10, 15, 8, 9), 7, ts=90 * SECOND_NS)
    assert gathered(whole, interval_s=60).newest(9) == [Bar(MINUTE_NS, 10, 15, 8, 9, 7)]


@pytest.mark.parametrize(
    ("interval_s", "bar_s", "counts"),
    [(1, 60, False), (60, 60, True), (300, 60, True), (60, 7, False), (300, 3600, False)],
)
def test_whole_bars_count_where_they_fill_the_interval_evenly(
    interval_s: int, bar_s: int, *, counts: bool
) -> None:
    made = gathered(closed_bar((1, 2, 1, 2), interval_ms=1000 * bar_s), interval_s=interval_s)
    assert (len(made.newest(9)), made.changes > 0) == (counts, counts)


def test_a_whole_bar_that_begins_anew_ends_the_bar_of_its_interval() -> None:
    made = gathered(
        closed_bar((10, 15, 8, 9), 7, ts=MINUTE_NS),
        closed_bar((1, 3, 1, 2), 5, anew=True, ts=2 * MINUTE_NS),
        closed_bar((2, 4, 2, 4), 5, ts=3 * MINUTE_NS),
    )
    assert made.newest(9) == [Bar(0, 1, 4, 1, 4, 10)]


minutes = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.lists(st.integers(1, 100), min_size=4, max_size=4).map(sorted),
        st.booleans(),
        st.integers(0, 100),
    ),
    unique_by=lambda each: each[0],
)
"""Minutes with their prices, whether they rise, and their volumes, in whatever order."""


@given(minutes, st.integers(0, MINUTE_NS - 1))
def test_minutes_gathered_into_five_are_those_computed_plainly(
    all_: list[tuple[int, list[int], bool, int]], phase_ns: int
) -> None:
    bars = []
    for minute, (low, lower, upper, high), rises, volume in all_:
        opened, close = (lower, upper) if rises else (upper, lower)
        ts = minute * MINUTE_NS + phase_ns
        bars.append(closed_bar((opened, high, low, close), volume, ts=ts))
    expected = []
    ordered = sorted(bars, key=lambda bar: bar.ts_event)
    for number, group in groupby(ordered, key=lambda bar: bar.ts_event // (5 * MINUTE_NS)):
        five = list(group)
        expected.append(
            Bar(
                number * 5 * MINUTE_NS,
                five[0].open,
                max(bar.high for bar in five),
                min(bar.low for bar in five),
                five[-1].close,
                sum(bar.volume for bar in five),
            )
        )
    assert gathered(*bars).newest(100) == expected
    single = gathered(*bars, interval_s=60).newest(100)
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in single] == [
        (bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in ordered
    ]
