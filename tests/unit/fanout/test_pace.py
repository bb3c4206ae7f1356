import pytest

from dashboard.fanout.pace import LIMIT, Pace


def settled(flush_s: float, dispatch_s: float = 0) -> Pace:
    pace = Pace(share=0.1, longest_s=0.03)
    for _ in range(100):
        pace.spent(dispatch_s=dispatch_s, flush_s=flush_s)
    return pace


def test_writing_takes_its_share_of_the_time() -> None:
    assert settled(0.001).interval_s == pytest.approx(0.01)
    assert settled(0.00001).interval_s == pytest.approx(0.0001)


def test_nothing_waits_longer_than_the_longest_for_the_sake_of_the_share() -> None:
    assert settled(0.005).interval_s == 0.03


def test_time_is_left_for_the_rest() -> None:
    assert settled(0.02, 0.01).interval_s == pytest.approx(0.03 / LIMIT)


def test_one_slow_flush_does_not_decide() -> None:
    pace = settled(0.0001)
    pace.spent(dispatch_s=0, flush_s=0.002)
    assert pace.interval_s < 0.006
