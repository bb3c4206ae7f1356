from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.clocks import CLOCK_SET_NS, LATEST_NS, WallTimes, never_set
from tests.unit.fakes import SECOND_NS, Clock


def test_the_bounds_are_those_of_the_calendar() -> None:
    assert datetime(2200, 1, 1, tzinfo=UTC).timestamp() * SECOND_NS == LATEST_NS
    assert LATEST_NS < 2**63


@given(
    st.lists(st.integers(0, 10 * SECOND_NS), min_size=1),
    st.integers(-CLOCK_SET_NS // 100, CLOCK_SET_NS // 100),
)
def test_moments_are_as_far_apart_by_both_clocks_while_none_is_set(
    passed: list[int], drift_ns: int
) -> None:
    wall, monotonic = Clock(), Clock(0)
    times = WallTimes(clock=wall, monotonic=monotonic)
    began = times.of(0)
    for ns in passed[:50]:
        monotonic.now += ns
        wall.now += ns + drift_ns
        assert times.of(monotonic.now) - began == monotonic.now


def test_a_wall_clock_that_is_set_is_followed() -> None:
    wall, monotonic = Clock(), Clock(5)
    times = WallTimes(clock=wall, monotonic=monotonic)
    for step_s in (-7200, 3600, 86_400):
        wall.advance(seconds=step_s)
        assert times.of(5) == wall.now
        assert times.of(0) == wall.now - 5


def test_a_clock_that_is_never_set_runs_on_from_where_the_wall_clock_was() -> None:
    wall, monotonic = Clock(), Clock(7)
    began = wall.now
    clock = never_set(clock=wall, monotonic=monotonic)
    wall.advance(seconds=-7200)
    monotonic.advance(seconds=3)
    assert clock() == began + 3 * SECOND_NS
