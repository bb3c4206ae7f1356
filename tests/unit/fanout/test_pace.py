import pytest

from dashboard.fanout.pace import LIMIT, MOST_S, Pace


def settled(cost_s: float) -> Pace:
    pace = Pace(lanes=4, share=0.1, longest_s=0.03)
    for _ in range(200):
        pace.spent(cost_s / 4, lanes=1)
    return pace


def test_writing_takes_its_share_of_the_time() -> None:
    assert settled(0.001).interval_s == pytest.approx(0.01)
    assert settled(0.00001).interval_s == pytest.approx(0.0001)


def test_nothing_waits_longer_than_the_longest() -> None:
    assert settled(0.005).interval_s == 0.03


def test_much_of_the_time_is_left_for_the_rest() -> None:
    assert settled(0.014).interval_s == pytest.approx(0.014 / LIMIT)


def test_waiting_ends_where_it_makes_nothing_cheaper() -> None:
    assert settled(0.1).interval_s == MOST_S


def test_one_slow_flush_does_not_decide() -> None:
    pace = settled(0.0001)
    pace.spent(0.002, lanes=4)
    assert pace.interval_s < 0.006


def test_what_is_cheap_is_flushed_as_a_whole() -> None:
    pace = settled(0.001)
    assert pace.step_s == pace.interval_s
    assert pace.lanes_after(0.0001) == 4


def test_what_is_dear_is_flushed_lane_by_lane_over_the_interval() -> None:
    pace = settled(0.005)
    assert pace.step_s * 4 == pace.interval_s
    assert [pace.lanes_after(steps * pace.step_s) for steps in (0, 1, 1.4, 2.1, 4, 9)] == [
        1,
        1,
        1,
        2,
        4,
        4,
    ]
