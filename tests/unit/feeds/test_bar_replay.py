import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import ClosedBar, Event, Price
from dashboard.feeds.bar_file import BarFile
from dashboard.feeds.bar_replay import BarReplay
from dashboard.feeds.played import ROUND_GAP_NS, YIELD_EVERY
from tests.unit.fakes import SECOND_NS, Clock

MIDNIGHT = 1_640_995_200_000


class Stage:
    """A replay of seconds from midnight on, each closing at its number, whose sleep moves time."""

    def __init__(self, folder: Path, *seconds: int, **options: Any) -> None:
        path = folder / "one.csv"
        rows = [f"{MIDNIGHT + 1000 * n},{n + 1},{n + 2},1,{n + 1},{n}\n" for n in seconds]
        path.write_text("timestamp,open,high,low,close,volume\n" + "".join(rows))
        self.clock = Clock()
        self.began = self.clock.now
        self.events: list[tuple[float, Event]] = []
        self.script: dict[int, Callable[[], object]] = {}
        self.naps = 0
        self.stop_after: int | None = None
        self.replay = BarReplay(BarFile(path), clock=self.clock, sleep=self.sleep, **options)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.naps += 1
        if self.naps == self.stop_after:
            raise asyncio.CancelledError
        if self.naps in self.script:
            self.script[self.naps]()
        await asyncio.sleep(0)

    def publish(self, event: Event) -> None:
        self.events.append((round((self.clock.now - self.began) / SECOND_NS, 3), event))

    async def run(self, *, naps: int | None = None) -> None:
        self.stop_after = naps
        if naps is None:
            await self.replay.run(self.publish)
        else:
            with pytest.raises(asyncio.CancelledError):
                await self.replay.run(self.publish)

    @property
    def bars(self) -> list[ClosedBar]:
        return [event for _, event in self.events if isinstance(event, ClosedBar)]

    @property
    def closes(self) -> list[float]:
        return [bar.close for bar in self.bars]

    @property
    def prices(self) -> list[tuple[float, float]]:
        return [(when, event.price) for when, event in self.events if isinstance(event, Price)]


async def test_each_bar_is_published_whole_with_its_own_time_and_its_close_as_a_price(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path, 0, 1, 3, loop=False)
    await stage.run()
    assert stage.events[:2] == [
        (
            0,
            ClosedBar(
                symbol="one",
                exchange="CSV",
                start_ms=MIDNIGHT,
                interval_ms=1000,
                open=1.0,
                high=2.0,
                low=1.0,
                close=1.0,
                volume=0.0,
                anew=True,
                ts_event=stage.began,
            ),
        ),
        (
            0,
            Price(symbol="one", exchange="CSV", price=1.0, volume=0.0, ts_event=stage.began),
        ),
    ]
    assert [bar.start_ms - MIDNIGHT for bar in stage.bars] == [0, 1000, 3000]
    assert [bar.anew for bar in stage.bars] == [True, False, False]
    assert stage.prices == [(0, 1.0), (1, 2.0), (3, 4.0)]


async def test_the_speed_divides_the_time_between_bars(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0, 1, 3, speed=10, loop=False)
    await stage.run()
    assert stage.prices == [(0, 1.0), (0.1, 2.0), (0.3, 4.0)]
    assert [bar.start_ms - MIDNIGHT for bar in stage.bars] == [0, 1000, 3000]


async def test_another_round_is_marked(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0, 1)
    await stage.run(naps=40)
    assert [(bar.close, bar.anew) for bar in stage.bars[:4]] == [
        (1.0, True),
        (2.0, False),
        (1.0, True),
        (2.0, False),
    ]
    assert stage.prices[2][0] == 1 + ROUND_GAP_NS / SECOND_NS


async def test_it_is_replayed_and_says_where_it_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0, 1, 3, loop=False)
    replay = stage.replay
    assert replay.flowing_state is FeedState.REPLAYED
    assert replay.began_ns == (MIDNIGHT + 1000) * 1_000_000
    assert (replay.duration_s, replay.position_s) == (3, 0)
    await stage.run()
    assert (replay.position_s, replay.rounds, replay.note) == (3, 1, "")
    assert replay.instruments()[0].bar_ms == 1000


async def test_a_seek_publishes_the_price_there_and_marks_the_next_bar(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *range(100), loop=False)
    stage.script = {1: lambda: stage.replay.seek(97.5)}
    await stage.run()
    assert [price for _, price in stage.prices] == [1.0, 98.0, 99.0, 100.0]
    assert [(bar.close, bar.anew) for bar in stage.bars] == [
        (1.0, True),
        (99.0, True),
        (100.0, False),
    ]


async def test_a_paused_replay_stands_still(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0, 1, loop=False)
    stage.script = {2: stage.replay.pause, 52: stage.replay.resume}
    await stage.run()
    assert stage.prices == [(0, 1.0), (6, 2.0)]


async def test_what_nobody_leases_is_held_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 0, 1, 2, loop=False)
    (one,) = stage.replay.instruments()
    other = Instrument(symbol="other", exchange="CSV", tick_size=1.0)
    await stage.replay.unsubscribe([one])
    assert await stage.replay.subscribe([other], 0) == {other.key: "no instrument 'other'"}
    await stage.run()
    assert stage.events == []
    await stage.replay.subscribe([one], 0)
    await stage.run()
    assert stage.closes == [1.0, 2.0, 3.0]


async def test_at_speed_0_it_goes_on_when_who_listens_has_kept_up(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *range(2 * YIELD_EVERY + 1), speed=0, loop=False)
    waits, kept_up = asyncio.Event(), asyncio.Event()
    asked: list[int] = []

    async def wait() -> None:
        asked.append(len(stage.bars))
        if stage.bars:
            waits.set()
            await kept_up.wait()

    stage.replay.wait_for(wait)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(stage.run())
        await waits.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert asked == [0, YIELD_EVERY]
        kept_up.set()
    assert asked == [0, YIELD_EVERY, 2 * YIELD_EVERY]
    assert len(stage.bars) == 2 * YIELD_EVERY + 1


async def test_at_another_speed_it_waits_for_nobody(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *range(2 * YIELD_EVERY), speed=1000, loop=False)

    async def never() -> None:
        raise AssertionError("nobody is waited for")

    stage.replay.wait_for(never)
    await stage.run()
    assert len(stage.bars) == 2 * YIELD_EVERY


def test_bad_lines_are_counted_and_named_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    rows = ["2022-01-01,1,2,1,1", "2022-01-02,1,2,3,1", "2022-01-03,1,2,1,1"]
    path.write_text("\n".join(["date,open,high,low,close", *rows]))
    with structlog.testing.capture_logs() as logs:
        replay = BarReplay(BarFile(path), clock=Clock())
    assert replay.skipped == 1
    assert [(each["line"], each["reason"]) for each in logs] == [(3, "high 2.0 is below low 3.0")]
