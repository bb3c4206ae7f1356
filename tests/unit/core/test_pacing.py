import math
import random
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.pacing import DEADBAND_MS, DEFAULT_PERIOD_MS, Pacer

HZ_60 = 1000 / 60
HZ_144 = 1000 / 144
LEAD_MS = 3.0


def make(interval_ms: float = 50, *, hz: float | None = None) -> Pacer:
    pacer = Pacer(interval_ms=interval_ms, now=100.0)
    if hz is not None:
        pacer.report(shift_ms=0, period_ms=1000 / hz, seen_shifts=0)
    return pacer


def phase_ms(pacer: Pacer, period_ms: float = HZ_60) -> float:
    return math.remainder((pacer.deadline - 100.0) * 1000, period_ms)


@pytest.mark.parametrize(
    ("asked_ms", "frames"), [(10, 1), (16, 1), (20, 1), (33, 2), (50, 3), (100, 6), (1000, 60)]
)
def test_interval_is_snapped_to_frames_at_60_hz(asked_ms: float, frames: int) -> None:
    assert make(asked_ms, hz=60).interval_ms == pytest.approx(frames * HZ_60)


@pytest.mark.parametrize(
    ("asked_ms", "frames"), [(10, 1), (16, 2), (20, 3), (33, 5), (50, 7), (100, 14), (1000, 144)]
)
def test_interval_is_snapped_to_frames_at_144_hz(asked_ms: float, frames: int) -> None:
    assert make(asked_ms, hz=144).interval_ms == pytest.approx(frames * HZ_144)


def test_60_hz_is_taken_until_a_page_reports() -> None:
    assert make(10).interval_ms == pytest.approx(HZ_60)


@given(asked_ms=st.floats(10, 1000), hz=st.floats(20, 240))
def test_interval_is_the_nearest_whole_number_of_frames(asked_ms: float, hz: float) -> None:
    pacer = make(asked_ms, hz=hz)
    frames = pacer.interval_ms * hz / 1000
    assert frames == pytest.approx(round(frames))
    assert round(frames) >= 1
    assert abs(pacer.interval_ms - asked_ms) <= 500 / hz + 1e-9 or round(frames) == 1


def test_first_push_is_due_at_once() -> None:
    assert Pacer(interval_ms=50, now=12.5).deadline == 12.5


def test_deadlines_are_one_interval_apart() -> None:
    pacer = make(50)
    for n in range(1, 500):
        pacer.advance(pacer.deadline)
        assert pacer.deadline == pytest.approx(100.0 + n * 0.05, abs=1e-6)


@given(lateness=st.lists(st.floats(0, 5), max_size=40), asked_ms=st.integers(10, 1000))
def test_deadlines_keep_their_phase_over_those_that_were_missed(
    lateness: list[float], asked_ms: int
) -> None:
    pacer = make(asked_ms)
    step = pacer.interval_ms / 1000
    for late in lateness:
        now = pacer.deadline + late
        pacer.advance(now)
        assert now - 1e-9 <= pacer.deadline <= now + step + 1e-9
        assert math.remainder(pacer.deadline - 100.0, step) == pytest.approx(0, abs=1e-6)


def test_a_shorter_interval_does_not_wait_for_the_end_of_a_long_one() -> None:
    pacer = make(1000)
    pacer.advance(100.0)
    pacer.set_interval(50)
    pacer.advance(100.12)
    assert 100.12 < pacer.deadline <= 100.12 + 0.05 + 1e-9
    assert phase_ms(pacer) == pytest.approx(0, abs=1e-6)


def test_a_longer_interval_is_in_force_from_the_next_advance() -> None:
    pacer = make(50)
    pacer.advance(100.0)
    pacer.set_interval(1000)
    pacer.advance(pacer.deadline)
    assert pacer.deadline == pytest.approx(101.05)


@pytest.mark.parametrize(
    ("shift_ms", "moved_ms"),
    [
        (8.0, 8.0),
        (-8.0, -8.0),
        (3.01, 3.01),
        (-3.01, -3.01),
        (3.0, 1.5),
        (2.0, 1.0),
        (-2.0, -1.0),
        (1.0, 0.5),
    ],
)
def test_a_shift_is_taken_whole_over_3_ms_and_by_half_under(
    shift_ms: float, moved_ms: float
) -> None:
    pacer = make()
    assert pacer.report(shift_ms=shift_ms, period_ms=HZ_60, seen_shifts=0)
    assert (pacer.deadline - 100.0) * 1000 == pytest.approx(moved_ms)
    assert pacer.shifts == 1


@pytest.mark.parametrize("shift_ms", [0.0, 0.99, -0.99])
def test_a_shift_under_1_ms_is_left_out(shift_ms: float) -> None:
    pacer = make()
    assert not pacer.report(shift_ms=shift_ms, period_ms=HZ_60, seen_shifts=0)
    assert (pacer.deadline, pacer.shifts) == (100.0, 0)


@pytest.mark.parametrize("off_ms", [0.0, 0.5, -0.5])
@pytest.mark.parametrize("periods", [-2, -1, 1, 2])
def test_a_shift_of_about_whole_periods_is_no_shift(periods: int, off_ms: float) -> None:
    pacer = make()
    assert not pacer.report(shift_ms=periods * HZ_60 + off_ms, period_ms=HZ_60, seen_shifts=0)
    assert (pacer.deadline, pacer.shifts) == (100.0, 0)


@given(shift_ms=st.floats(-1e6, 1e6), period_ms=st.floats(1000 / 240, 50))
def test_no_shift_moves_a_deadline_by_more_than_half_a_period(
    shift_ms: float, period_ms: float
) -> None:
    pacer = make()
    moved = pacer.report(shift_ms=shift_ms, period_ms=period_ms, seen_shifts=0)
    distance_ms = abs(pacer.deadline - 100.0) * 1000
    assert distance_ms <= period_ms / 2 + 1e-6
    assert (distance_ms >= DEADBAND_MS / 2 - 1e-6) == moved


@pytest.mark.parametrize("seen", [-1, 0, 2, 99])
def test_a_report_about_another_phase_moves_nothing(seen: int) -> None:
    pacer = make()
    pacer.report(shift_ms=5, period_ms=HZ_60, seen_shifts=0)
    before = pacer.deadline
    assert not pacer.report(shift_ms=5, period_ms=HZ_60, seen_shifts=seen)
    assert (pacer.deadline, pacer.shifts) == (before, 1)


def test_a_report_about_another_phase_still_tells_the_period() -> None:
    pacer = make(10)
    pacer.report(shift_ms=5, period_ms=HZ_144, seen_shifts=7)
    assert pacer.interval_ms == pytest.approx(HZ_144)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_ignored(bad: float) -> None:
    pacer = make(10)
    assert not pacer.report(shift_ms=bad, period_ms=HZ_144, seen_shifts=0)
    assert not pacer.report(shift_ms=5, period_ms=bad, seen_shifts=0)
    assert (pacer.deadline, pacer.shifts) == (100.0, 0)
    assert pacer.interval_ms == pytest.approx(DEFAULT_PERIOD_MS)


@pytest.mark.parametrize("period_ms", [-16.7, 0, 1e-300, 4.1, 50.1, 1e300])
def test_a_period_that_no_display_has_is_ignored(period_ms: float) -> None:
    pacer = make(10)
    pacer.report(shift_ms=0, period_ms=period_ms, seen_shifts=0)
    assert pacer.interval_ms == pytest.approx(DEFAULT_PERIOD_MS)


class Page:
    """A page that paints at a fixed phase and measures how long messages wait for a frame."""

    def __init__(self, *, period_ms: float, frame_ms: float, delay_ms: Callable[[], float]) -> None:
        self.period_ms = period_ms
        self.frame_ms = frame_ms
        self.delay_ms = delay_ms
        self.waits: deque[float] = deque(maxlen=120)
        self.seen_shifts = 0
        self.reported_s = 0.0

    def receive(self, sent_s: float, shifts: int) -> float:
        arrived_ms = sent_s * 1000 + self.delay_ms()
        wait = (self.frame_ms - arrived_ms) % self.period_ms
        if shifts != self.seen_shifts:
            self.waits.clear()
            self.seen_shifts = shifts
        self.waits.append(wait)
        return wait

    def wanted_shift(self) -> float:
        angles = [2 * math.pi * wait / self.period_ms for wait in self.waits]
        mean = math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles)))
        mean_ms = mean * self.period_ms / (2 * math.pi)
        spread = sorted(math.remainder(wait - mean_ms, self.period_ms) for wait in self.waits)
        low = spread[int((len(spread) - 1) * 0.1)]
        return math.remainder(mean_ms + low - LEAD_MS, self.period_ms)


def run_loop(page: Page, pacer: Pacer, *, seconds: float) -> tuple[list[float], list[float]]:
    """Give the waits of all messages, and the times at which the phase was moved."""
    waits: list[float] = []
    moved_at: list[float] = []
    now = pacer.deadline
    end = now + seconds
    while now < end:
        waits.append(page.receive(now, pacer.shifts))
        due = now - page.reported_s >= 1.0 and len(page.waits) >= 16
        if due:
            page.reported_s = now
            if pacer.report(
                shift_ms=page.wanted_shift(),
                period_ms=page.period_ms,
                seen_shifts=page.seen_shifts,
            ):
                moved_at.append(now)
        pacer.advance(now)
        now = pacer.deadline
    return waits, moved_at


@pytest.mark.parametrize("eighths", range(8))
@pytest.mark.parametrize("hz", [60, 75, 144])
@pytest.mark.parametrize("interval_ms", [10, 33, 50])
def test_a_page_and_the_pacer_converge_and_do_not_hunt(
    interval_ms: int, hz: int, eighths: int
) -> None:
    rng = random.Random(eighths)
    page = Page(
        period_ms=1000 / hz,
        frame_ms=100_000 + eighths / 8 * 1000 / hz,
        delay_ms=lambda: 1.0 + rng.expovariate(2.0),
    )
    pacer = Pacer(interval_ms=interval_ms, now=100.0)
    waits, moved_at = run_loop(page, pacer, seconds=20)
    assert len(moved_at) <= 6
    assert sum(at > 110 for at in moved_at) <= 1, "the phase rests once it is right"
    settled = sorted(waits[-len(waits) // 3 :])
    assert settled[len(settled) // 10] >= LEAD_MS - 1.5
    assert settled[int(len(settled) * 0.9)] <= LEAD_MS + 2.5


def test_deadline_moves_by_whole_frames_to_the_first_after_the_feeds_tick() -> None:
    pacer = Pacer(interval_ms=50, now=0.0)
    tick = 0.004  # the feed ticks 4 ms after the first deadline, and every 50 ms
    ages = []
    for _ in range(30):
        pacer.advance(pacer.deadline)
        age_ms = ((pacer.deadline - tick) * 1000) % 50
        pacer.pushed(age_ms)
        ages.append(age_ms)
    assert ages[0] == pytest.approx(46)
    assert ages[-1] == pytest.approx(46 - 2 * 1000 / 60)
    assert pacer.shifts == 0


def test_deadline_stays_where_some_events_are_young() -> None:
    pacer = Pacer(interval_ms=50, now=0.0)
    for turn in range(40):
        pacer.advance(pacer.deadline)
        pacer.pushed(10.0 if turn % 5 == 0 else 45.0)
    assert pacer.deadline == pytest.approx(40 * 0.05)
