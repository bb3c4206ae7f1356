from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.bars import Bar, BarSeries
from tests.unit.fakes import SECOND_NS

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


def test_a_late_trade_leaves_open_and_close() -> None:
    made = series((1, 10, 1), (2, 11, 1), (1.5, 20, 5))
    assert made.newest(9) == [
        Bar(1 * SECOND_NS, 10, 20, 10, 10, 6),
        Bar(2 * SECOND_NS, 11, 11, 11, 11, 1),
    ]


def test_a_late_trade_of_an_empty_interval_makes_its_bar() -> None:
    made = series((1, 10, 1), (4, 11, 1), (2.5, 20, 5))
    assert [bar.start // SECOND_NS for bar in made.newest(9)] == [1, 2, 4]


def test_a_full_series_forgets_its_oldest_and_takes_nothing_older() -> None:
    made = series((1, 10, 1), (2, 11, 1), (3, 12, 1), (0.5, 9, 1), limit=2)
    assert [bar.start // SECOND_NS for bar in made.newest(9)] == [2, 3]


@given(trades, st.sampled_from([1, 5]))
def test_bars_agree_with_sorting_all_trades(
    all_: list[tuple[int, int, int]], interval_s: int
) -> None:
    all_.sort()
    made = BarSeries(interval_s=interval_s, limit=100)
    for ts, price, size in all_:
        made.apply_trade(ts, price, size)
    interval = interval_s * SECOND_NS
    expected = []
    for number, group in groupby(all_, key=lambda each: each[0] // interval):
        prices, sizes = [], []
        for _, price, size in group:
            prices.append(price)
            sizes.append(size)
        bar = Bar(number * interval, prices[0], max(prices), min(prices), prices[-1], sum(sizes))
        expected.append(bar)
    assert made.newest(100) == expected


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
