import pytest

from dashboard.fanout.pace import (
    BUSY,
    BUSY_WAIT_S,
    LEAST_ROOM,
    LIMIT,
    LIMIT_WAIT_S,
    SHARE,
    SHARE_WAIT_S,
    Pace,
)


def settled(cost_s: float, *, share_wait_s: float = SHARE_WAIT_S) -> Pace:
    pace = Pace(lanes=4, share_wait_s=share_wait_s)
    for _ in range(200):
        pace.spent(cost_s / 4, lanes=1)
    return pace


def work(pace: Pace, *, share: float, times: int = 200) -> None:
    for _ in range(times):
        pace.worked(share * 0.01, passed_s=0.01)


def test_writing_takes_its_share_of_the_time() -> None:
    assert settled(0.001).interval_s == pytest.approx(0.001 / SHARE)
    assert settled(0.00001).interval_s == pytest.approx(0.00001 / SHARE)


def test_it_takes_more_rather_than_that_frames_wait_long() -> None:
    assert settled(0.005).interval_s == SHARE_WAIT_S


def test_a_stream_may_let_frames_wait_less_for_its_share() -> None:
    assert settled(0.0001, share_wait_s=0.01).interval_s == pytest.approx(0.0001 / SHARE)
    assert settled(0.001, share_wait_s=0.01).interval_s == 0.01
    assert settled(0.014, share_wait_s=0.01).interval_s == pytest.approx(0.014 / LIMIT)


def test_much_of_the_time_is_left_for_the_rest() -> None:
    assert settled(0.014).interval_s == pytest.approx(0.014 / LIMIT)


def test_waiting_ends_where_it_makes_nothing_cheaper() -> None:
    assert settled(0.03).interval_s == LIMIT_WAIT_S
    assert settled(0.1).interval_s == BUSY_WAIT_S


def test_other_work_makes_frames_wait_longer() -> None:
    pace = settled(0.012)
    work(pace, share=0.2)
    assert pace.interval_s == pytest.approx(0.03)
    work(pace, share=0.5)
    assert pace.interval_s == pytest.approx(0.012 / (BUSY - 0.5))
    work(pace, share=0.95)
    assert pace.interval_s == BUSY_WAIT_S
    work(pace, share=0.2)
    assert pace.interval_s == pytest.approx(0.03)


def test_few_clients_wait_little_beside_much_other_work() -> None:
    pace = settled(0.0001)
    work(pace, share=0.99)
    assert pace.interval_s == pytest.approx(0.0001 / LEAST_ROOM)


def test_a_silence_does_not_hide_the_work_after_it() -> None:
    pace = settled(0.012)
    pace.worked(0.001, passed_s=3600)
    work(pace, share=0.95, times=60)
    assert pace.interval_s == BUSY_WAIT_S


def test_one_slow_flush_does_not_decide() -> None:
    pace = settled(0.0001)
    pace.spent(0.001, lanes=4)
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
