import asyncio
from types import SimpleNamespace

import pytest

from dashboard.core.model import Event, System
from dashboard.feeds import system
from dashboard.feeds.system import publish_system
from tests.unit.fakes import SECOND_NS, Clock


class Process:
    """A process that uses 10 % more of a core at each look, and 1 MB more of memory."""

    def __init__(self) -> None:
        self.looks = 0

    def cpu_percent(self) -> float:
        self.looks += 1
        return 10.0 * (self.looks - 1)

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=(100 + self.looks) * 1024 * 1024 + 5)


async def figures(
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[float, int]],
    *,
    wall: Clock | None = None,
    set_by_s: float = 0,
) -> list[System]:
    """Give what is published while the clock and the hub's total make these steps.

    A `wall` clock is set with each step.
    """
    clock = Clock()
    remaining = iter(steps)
    total = 1000
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal total
        naps.append(seconds)
        step = next(remaining, None)
        if step is None:
            raise asyncio.CancelledError
        clock.advance(seconds=step[0])
        if wall is not None:
            wall.advance(seconds=set_by_s)
        total += step[1]

    monkeypatch.setattr(system, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(system, "psutil", SimpleNamespace(Process=Process))
    events: list[Event] = []
    with pytest.raises(asyncio.CancelledError):
        await publish_system(
            events.append, published=lambda: total, clock=wall or clock, monotonic=clock
        )
    assert naps == [1.0] * (len(steps) + 1)
    return [event for event in events if isinstance(event, System)]


async def test_figures_of_the_process_are_published_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = await figures(monkeypatch, [(1, 50), (1, 0), (1, 700)])
    assert [event.cpu_pct for event in published] == [10.0, 20.0, 30.0]
    assert [event.mem_mb for event in published] == [102, 103, 104]


async def test_the_rate_counts_what_came_since_the_last_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = await figures(monkeypatch, [(1, 50), (1, 0), (1, 700)])
    assert [event.msg_rate for event in published] == [50, 0, 700]


async def test_a_wall_clock_that_is_set_is_stamped_with_and_not_measured_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Clock()
    published = await figures(monkeypatch, [(1, 50), (1, 60)], wall=wall, set_by_s=-3600)
    assert [event.msg_rate for event in published] == [50, 60]
    assert [event.ts_event - wall.now for event in published] == [3600 * SECOND_NS, 0]


async def test_the_rate_allows_for_a_late_look(monkeypatch: pytest.MonkeyPatch) -> None:
    published = await figures(monkeypatch, [(2.5, 500), (1, 50)])
    assert [event.msg_rate for event in published] == [200, 50]


async def test_events_carry_the_time_of_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    published = await figures(monkeypatch, [(1, 0), (1.5, 0)])
    assert published[1].ts_event - published[0].ts_event == 1_500_000_000


@pytest.mark.parametrize("seconds", [0, -5])
async def test_a_clock_that_does_not_move_on_gives_no_rate(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    published = await figures(monkeypatch, [(seconds, 50), (1, 7)])
    assert [event.msg_rate for event in published] == [0, 7]


async def test_it_reads_the_real_process(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    naps = iter(range(1))

    async def sleep(_seconds: float) -> None:
        if next(naps, None) is None:
            raise asyncio.CancelledError
        clock.advance(seconds=1)

    monkeypatch.setattr(system, "asyncio", SimpleNamespace(sleep=sleep))
    events: list[Event] = []
    with pytest.raises(asyncio.CancelledError):
        await publish_system(events.append, published=lambda: 0, clock=clock)
    (event,) = events
    assert isinstance(event, System)
    assert 5 < event.mem_mb < 100_000
    assert event.cpu_pct >= 0
