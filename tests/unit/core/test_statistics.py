import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.statistics import RateMeter, percentile

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("p", "expected"), [(0, 1), (0.24, 1), (0.25, 2), (0.5, 3), (0.95, 4), (0.999, 4), (1, 5)]
)
def test_percentile_takes_the_value_at_the_floored_index(p: float, expected: int) -> None:
    assert percentile([1, 2, 3, 4, 5], p) == expected


@given(
    values=st.lists(st.floats(allow_nan=False), min_size=1).map(sorted),
    p=st.floats(0, 1, allow_nan=False),
)
def test_percentile_is_always_one_of_the_values(values: list[float], p: float) -> None:
    assert percentile(values, p) == values[math.floor((len(values) - 1) * p)]


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 0.5)


@pytest.mark.parametrize("p", [-0.01, 1.01, math.nan])
def test_percentile_outside_the_range_is_an_error(p: float) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        percentile([1.0], p)


def test_rate_meter_gives_no_rate_from_one_mark() -> None:
    assert RateMeter().mark(1_000, 0) == 0.0


def test_rate_meter_gives_events_per_second() -> None:
    meter = RateMeter()
    meter.mark(100, 0)
    assert meter.mark(150, SECOND_NS // 2) == 100.0


def test_rate_meter_forgets_what_is_before_its_window() -> None:
    meter = RateMeter()
    meter.mark(0, 0)
    meter.mark(10_000, SECOND_NS)
    assert meter.mark(10_100, 2 * SECOND_NS) == 100.0
    assert meter.mark(10_100, 3 * SECOND_NS) == 0.0


def test_rate_meter_keeps_the_last_mark_before_a_pause() -> None:
    meter = RateMeter()
    meter.mark(0, 0)
    assert meter.mark(50, 10 * SECOND_NS) == 5.0


@given(gap_ms=st.integers(1, 400), per_mark=st.integers(0, 1_000))
def test_rate_meter_is_exact_for_a_steady_stream(gap_ms: int, per_mark: int) -> None:
    meter = RateMeter()
    rates = [meter.mark(n * per_mark, n * gap_ms * 1_000_000) for n in range(30)]
    assert rates[1:] == pytest.approx([per_mark * 1000 / gap_ms] * 29)
