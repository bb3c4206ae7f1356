import pytest

from dashboard.fanout.pace import Pace


def settled(cost_s: float) -> Pace:
    pace = Pace(share=0.1, longest_s=0.03)
    for _ in range(100):
        pace.spent(cost_s)
    return pace


def test_writing_takes_its_share_of_the_time() -> None:
    assert settled(0.001).interval_s == pytest.approx(0.01)
    assert settled(0.00001).interval_s == pytest.approx(0.0001)


def test_nothing_waits_longer_than_the_longest() -> None:
    assert settled(0.005).interval_s == 0.03


def test_two_thirds_of_the_time_are_left_for_the_rest() -> None:
    assert settled(0.02).interval_s == pytest.approx(0.06)


def test_one_slow_flush_does_not_decide() -> None:
    pace = settled(0.0001)
    pace.spent(0.002)
    assert pace.interval_s < 0.006
