import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from dashboard.core.errors import FeedError
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Book, Event, Price, Trade
from dashboard.feeds.played import NAP_S, ROUND_GAP_NS
from dashboard.feeds.recording import Recording
from dashboard.feeds.replay import MAX_LOGGED, Replay
from dashboard.feeds.replay_clock import KEPT_STRETCHES
from tests.unit.fakes import MS_NS, SECOND_NS, Clock

URL = "wss://ws-feed.example.coinbase.com"


def line(second: float, **message: Any) -> str:
    return f"{1_600_000_000 + second:.3f}: {json.dumps(message)}"


def tick(second: float, price: float, product: str = "A-USD") -> str:
    return line(second, type="ticker", product_id=product, price=str(price))


def snapshot(second: float, bid: float, ask: float) -> str:
    sides = {"bids": [[str(bid), "1"]], "asks": [[str(ask), "1"]]}
    return line(second, type="snapshot", product_id="A-USD", **sides)


def update(second: float, side: str, price: float, size: float) -> str:
    return line(
        second, type="l2update", product_id="A-USD", changes=[[side, str(price), str(size)]]
    )


def match(second: float, price: float, product: str = "A-USD") -> str:
    sold = {"product_id": product, "price": str(price), "size": "1", "side": "buy"}
    return line(second, type="match", trade_id=1, **sold)


class Stage:
    """A replay whose sleep moves the clock, and which is left after a number of sleeps."""

    def __init__(self, folder: Path, *lines: str, **options: Any) -> None:
        path = folder / "some.wslog"
        path.write_text("\n".join(lines))
        self.clock = Clock()
        self.wall = Clock()
        self.began = self.clock.now
        self.events: list[tuple[float, Event]] = []
        self.naps: list[float] = []
        self.script: dict[int, Callable[[], object]] = {}
        self.stop_after: int | None = None
        self.replay = Replay(
            Recording(path), clock=self.wall, monotonic=self.clock, sleep=self.sleep, **options
        )

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock.advance(seconds=seconds)
        self.wall.advance(seconds=seconds)
        number = len(self.naps)
        if self.stop_after is not None and number >= self.stop_after:
            raise asyncio.CancelledError
        if number in self.script:
            self.script[number]()
        await asyncio.sleep(0)

    def publish(self, event: Event) -> None:
        self.events.append((self.elapsed_s(self.clock.now), event))

    def elapsed_s(self, ts_ns: int) -> float:
        return round((ts_ns - self.began) / SECOND_NS, 3)

    async def run(self, *, naps: int | None = None) -> None:
        self.stop_after = naps
        if naps is None:
            await self.replay.run(self.publish)
        else:
            with pytest.raises(asyncio.CancelledError):
                await self.replay.run(self.publish)

    @property
    def prices(self) -> list[tuple[float, float]]:
        """When each price was published, in seconds, and what it was."""
        return [(when, event.price) for when, event in self.events if isinstance(event, Price)]

    def recorded_s(self, ts_event: int) -> float | None:
        """When an event was recorded, in seconds since the recording began, by its stretches."""
        stretches = [each for each in self.replay.stretches if each.played_ns <= ts_event]
        if (pace := stretches[-1].pace) is None:
            return None
        recorded_ns = stretches[-1].recorded_ns + pace * (ts_event - stretches[-1].played_ns)
        return round((recorded_ns - self.replay.began_ns) / SECOND_NS, 3)

    @property
    def books(self) -> list[Book]:
        return [event for _, event in self.events if isinstance(event, Book)]


THREE = (tick(0, 1.0), tick(0.25, 2.0), tick(1.25, 3.0))


@pytest.mark.parametrize(("speed", "times"), [(1, [0, 0.25, 1.25]), (5, [0, 0.05, 0.25])])
async def test_gaps_are_kept_and_divided_by_the_speed(
    tmp_path: Path, speed: float, times: list[float]
) -> None:
    stage = Stage(tmp_path, *THREE, speed=speed, loop=False)
    await stage.run()
    assert stage.prices == list(zip(times, [1.0, 2.0, 3.0], strict=True))
    assert [stage.elapsed_s(event.ts_event) for _, event in stage.events] == times
    assert max(stage.naps) <= NAP_S


async def test_speed_zero_waits_for_nothing_but_lets_others_run(tmp_path: Path) -> None:
    lines = [tick(second, second + 1) for second in range(200)]
    stage = Stage(tmp_path, *lines, speed=0, loop=False)
    await stage.run()
    assert stage.prices == [(0, second + 1.0) for second in range(200)]
    assert stage.naps == [0, 0, 0]
    assert all(event.ts_event == stage.began for _, event in stage.events)


async def test_rounds_follow_each_other(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE)
    await stage.run(naps=60)
    gap_s = ROUND_GAP_NS / SECOND_NS
    second = round(1.25 + gap_s, 3)
    assert stage.prices[:6] == [
        (0, 1.0),
        (0.25, 2.0),
        (1.25, 3.0),
        (second, 1.0),
        (second + 0.25, 2.0),
        (second + 1.25, 3.0),
    ]
    assert stage.replay.rounds >= 2


async def test_a_round_begins_with_empty_books(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        update(0, "buy", 5, 1),
        update(1, "sell", 6, 1),
        update(2, "buy", 5, 0),
        update(3, "sell", 4, 1),
        speed=100,
    )
    await stage.run(naps=12)
    first, again = stage.books[0], stage.books[4]
    assert (first.bids, first.asks, first.partial) == (((5.0, 1.0),), (), True)
    assert (again.bids, again.asks) == (first.bids, first.asks)
    assert stage.replay.skipped == 0


async def test_without_loop_it_returns_and_is_replayed_until_then(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, loop=False)
    assert stage.replay.flowing_state is FeedState.REPLAYED
    await stage.run()
    assert stage.replay.position_s == stage.replay.duration_s == 1.25
    assert stage.replay.rounds == 1


async def test_a_paused_replay_stands_still_and_goes_on_from_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, loop=False)
    seen: list[float] = []

    def resume() -> None:
        seen.append(stage.replay.position_s)
        stage.replay.resume()

    stage.script = {2: stage.replay.pause, 52: resume}
    await stage.run()
    assert seen == [0.2]
    assert stage.prices == [(0, 1.0), (5.25, 2.0), (6.25, 3.0)]


async def test_the_speed_changes_from_where_it_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, loop=False)
    stage.script = {2: lambda: stage.replay.set_speed(0.5), 4: lambda: stage.replay.set_speed(10)}
    await stage.run()
    assert stage.prices == [(0, 1.0), (0.3, 2.0), (0.495, 3.0)]
    assert stage.replay.speed == 10


async def test_a_seek_rebuilds_the_book_and_shows_how_things_were(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        snapshot(0, 10, 11),
        tick(0, 10.5),
        update(1, "buy", 10.5, 2),
        tick(1, 10.75),
        "damage",
        update(20, "sell", 10.75, 3),
        tick(40, 11.5),
        loop=False,
    )
    stage.script = {1: lambda: stage.replay.seek(30)}
    await stage.run()
    assert stage.prices == [(0, 10.5), (0.1, 10.75), (10.1, 11.5)]
    assert len(stage.books) == 2
    assert stage.books[1].bids == ((10.5, 2.0), (10.0, 1.0))
    assert stage.books[1].asks == ((10.75, 3.0), (11.0, 1.0))
    assert stage.replay.skipped == 0


async def test_a_seek_goes_back_too_and_stays_paused(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, loop=False)
    positions: list[float] = []

    def back() -> None:
        stage.replay.pause()
        stage.replay.seek(0.25)

    def look() -> None:
        positions.append(stage.replay.position_s)

    stage.script = {8: back, 15: look, 20: look, 28: stage.replay.resume}
    await stage.run()
    assert positions == [0.25, 0.25]
    assert [value for _, value in stage.prices] == [1.0, 2.0, 2.0, 3.0]


@pytest.mark.parametrize(("seconds", "first"), [(-5, 1.0), (1e9, 3.0)])
async def test_a_seek_is_clamped_to_the_ends(tmp_path: Path, seconds: float, first: float) -> None:
    stage = Stage(tmp_path, *THREE, loop=False)
    stage.replay.seek(seconds)
    assert stage.replay.position_s == min(max(seconds, 0), 1.25)
    await stage.run()
    assert stage.prices[0] == (0, first)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_control_wants_a_finite_number(tmp_path: Path, value: float) -> None:
    replay = Stage(tmp_path, *THREE).replay
    with pytest.raises(ValueError, match="finite"):
        replay.seek(value)
    with pytest.raises(ValueError, match="finite"):
        replay.set_speed(value)
    with pytest.raises(ValueError, match="finite"):
        replay.set_speed(-1)


@pytest.mark.parametrize("speed", [5e-324, 1e-320, 0.0009, 1001, 1e308])
async def test_a_speed_at_which_time_cannot_be_kept_is_refused(
    tmp_path: Path, speed: float
) -> None:
    replay = Stage(tmp_path, *THREE).replay
    with pytest.raises(ValueError, match=r"0, or 0\.001 to 1000"):
        replay.set_speed(speed)
    assert replay.speed == 1
    with pytest.raises(ValueError, match=r"0, or 0\.001 to 1000"):
        Stage(tmp_path, *THREE, speed=speed)


async def test_a_late_replay_goes_on_from_where_it_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, tick(2, 4.0), loop=False)
    stage.script = {1: lambda: stage.clock.advance(seconds=60)}
    await stage.run()
    assert stage.prices == [(0, 1.0), (60.1, 2.0), (61.1, 3.0), (61.85, 4.0)]


@pytest.mark.parametrize("step_s", [-7200, -57, -0.9, 7200])
@pytest.mark.parametrize("speed", [1, 0.5])
async def test_a_wall_clock_that_is_set_moves_the_times_and_not_the_replay(
    tmp_path: Path, step_s: float, speed: float
) -> None:
    stage = Stage(tmp_path, *THREE, tick(2, 4.0), loop=False, speed=speed)
    stage.script = {
        1: lambda: stage.wall.advance(seconds=step_s),
        8: lambda: stage.wall.advance(seconds=-2 * step_s),
    }
    positions: list[float] = []
    for nap in range(9, 16):
        stage.script[nap] = lambda: positions.append(stage.replay.position_s)
    await stage.run()
    assert stage.prices == [
        (when / speed, value) for when, value in ((0, 1.0), (0.25, 2.0), (1.25, 3.0), (2, 4.0))
    ]
    assert positions == sorted(positions)
    last = stage.events[-1][1]
    assert abs(last.ts_event - stage.wall.now) < MS_NS


async def test_damage_is_counted_each_round_and_logged_once_with_its_line(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path, tick(0, 1), "", "broken", line(0, type="news"), line(0, type="ticker"), speed=0
    )
    with structlog.testing.capture_logs() as logs:
        await stage.run(naps=3)
    assert stage.replay.skipped == 9
    skipped = [(each["line"], each["reason"]) for each in logs if "line" in each]
    assert [number for number, _ in skipped] == [3, 4, 5]
    assert skipped[0][1] == "the line is no record"
    assert "COINBASE" in skipped[2][1]


async def test_what_has_no_name_is_damage(tmp_path: Path) -> None:
    stage = Stage(tmp_path, tick(0, 1), tick(0, 2, "A\n"), tick(0, 3), loop=False)
    await stage.run()
    assert stage.prices == [(0, 1.0), (0, 3.0)]
    assert stage.replay.skipped == 1


async def test_endless_damage_does_not_fill_the_log(tmp_path: Path) -> None:
    stage = Stage(tmp_path, tick(0, 1), *["broken"] * (MAX_LOGGED + 50), speed=0, loop=False)
    with structlog.testing.capture_logs() as logs:
        await stage.run()
    assert stage.replay.skipped == MAX_LOGGED + 50
    assert len(logs) == MAX_LOGGED + 1


async def test_dropped_crossed_levels_are_no_secret(tmp_path: Path) -> None:
    stage = Stage(tmp_path, snapshot(0, 10, 11), update(0, "buy", 12, 1), loop=False)
    await stage.run()
    assert stage.replay.skipped == 1
    assert (stage.books[-1].bids[0], stage.books[-1].asks) == ((12.0, 1.0), ())


async def test_gaps_are_counted(tmp_path: Path) -> None:
    def depth(u: int, pu: int) -> str:
        data = {"e": "depthUpdate", "s": "X", "u": u, "pu": pu, "b": [["1", "1"]], "a": []}
        return line(0, stream="x@depth", data=data)

    stage = Stage(tmp_path, depth(2, 1), depth(4, 2), depth(9, 8), loop=False)
    await stage.run()
    assert (stage.replay.gaps, stage.replay.skipped) == (1, 0)


def depth(second: float, u: int, pu: int, *bids: float, symbol: str = "X", asks: int = 0) -> str:
    data = {
        "e": "depthUpdate",
        "s": symbol,
        "u": u,
        "pu": pu,
        "b": [[str(price), "1"] for price in bids],
        "a": [[str(1000 + at), "1"] for at in range(asks)],
    }
    return line(second, stream=f"{symbol.lower()}@depth", data=data)


async def test_repeated_and_late_updates_leave_the_book_as_it_is(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        depth(0, 100, 90, *range(93, 101), asks=8),
        depth(1, 110, 100, 101),
        depth(1, 110, 100, 101),
        depth(2, 95, 90, 5),
        depth(3, 120, 110, 102),
        loop=False,
    )
    await stage.run()
    assert stage.replay.gaps == 0
    assert [len(book.bids) for book in stage.books] == [8, 9, 10]
    assert not stage.books[-1].partial


@pytest.mark.parametrize("speed", [0, 1, 50])
async def test_ten_recorded_seconds_of_old_updates_begin_the_book_anew(
    tmp_path: Path, speed: float
) -> None:
    lines = [depth(0, 10**15, 1, 5), *(depth(n, 10 + n, 9 + n, n) for n in range(1, 14))]
    stage = Stage(tmp_path, *lines, speed=speed, loop=False)
    await stage.run()
    assert stage.replay.gaps == 1
    assert [book.bids for book in stage.books] == [
        ((5.0, 1.0),),
        ((11.0, 1.0),),
        ((12.0, 1.0), (11.0, 1.0)),
        ((13.0, 1.0), (12.0, 1.0), (11.0, 1.0)),
    ]


async def test_a_connection_made_anew_leaves_the_books_of_the_others(tmp_path: Path) -> None:
    first = "wss://fstream.binance.com/stream?streams=x@depth"
    second = "wss://fstream.binance.com/stream?streams=y@depth"
    stage = Stage(
        tmp_path,
        f"{first} <-> 1600000000",
        f"{second} <-> 1600000000",
        depth(0, 2, 1, 10, 9),
        depth(0, 2, 1, 10, 9, symbol="Y"),
        f"{first} <-> 1600000001",
        depth(1, 60, 50, 8),
        depth(1, 3, 2, 8, symbol="Y"),
        loop=False,
    )
    await stage.run()
    assert [(book.symbol, len(book.bids)) for book in stage.books[2:]] == [("X", 1), ("Y", 3)]
    assert stage.replay.gaps == 0


async def test_a_connection_made_anew_forgets_its_books(tmp_path: Path) -> None:
    url = "wss://ws-feed.pro.coinbase.com"
    stage = Stage(
        tmp_path,
        f"{url} <-> 1600000000",
        snapshot(0, 10, 11),
        f"{url} <- 1600000000: {{}}",
        f"{url} <-> 1600000000",
        update(0, "buy", 9, 1),
        loop=False,
    )
    await stage.run()
    assert (stage.books[1].bids, stage.books[1].partial) == (((9.0, 1.0),), True)


async def test_only_what_is_subscribed_is_published(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path, tick(0, 1, "A"), tick(0, 2, "B"), tick(1, 3, "A"), tick(1, 4, "B"), loop=False
    )
    first, second = stage.replay.instruments()
    await stage.replay.unsubscribe([first])
    await stage.replay.unsubscribe([first])
    await stage.replay.subscribe([second], 0)
    await stage.run()
    assert [value for _, value in stage.prices] == [2.0, 4.0]
    unknown = Instrument(symbol="C", exchange="COINBASE", tick_size=1)
    assert await stage.replay.subscribe([unknown, second], 0) == {unknown.key: "no instrument 'C'"}


async def test_what_is_subscribed_again_begins_with_the_latest(tmp_path: Path) -> None:
    stage = Stage(tmp_path, snapshot(0, 10, 11), tick(0, 2), tick(9, 3), tick(9, 4, "B"))
    first, second = stage.replay.instruments()
    await stage.replay.unsubscribe([first, second])
    again: list[asyncio.Future[Any]] = []

    def subscribe() -> None:
        again.append(asyncio.ensure_future(stage.replay.subscribe([first], 5)))

    stage.script = {5: subscribe, 7: subscribe}
    await stage.run(naps=20)
    assert await asyncio.gather(*again) == [{}, {}]
    assert stage.prices == [(0.5, 2.0)]
    (book,) = stage.books
    assert (book.bids, book.asks) == (((10.0, 1.0),), ((11.0, 1.0),))


async def test_a_file_that_vanishes_ends_the_feed_for_good(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE)
    (tmp_path / "some.wslog").unlink()
    with pytest.raises(FeedError) as caught:
        await stage.run()
    assert caught.value.terminal


async def test_a_recording_without_length_does_not_spin(tmp_path: Path) -> None:
    stage = Stage(tmp_path, tick(0, 1))
    await stage.run(naps=100)
    assert stage.clock.now - stage.began > 30 * MS_NS


async def test_it_tells_when_what_it_plays_was_recorded(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *(tick(place, place + 1) for place in range(20)), loop=False)
    told: list[tuple[float, float | None]] = []

    def publish(event: Event) -> None:
        assert isinstance(event, Price)
        told.append((event.price - 1, stage.recorded_s(event.ts_event)))

    stage.script = {
        25: lambda: stage.replay.set_speed(0.5),
        45: stage.replay.pause,
        60: stage.replay.resume,
        85: lambda: stage.replay.set_speed(4),
        95: lambda: stage.replay.seek(3.5),
        98: lambda: stage.wall.advance(seconds=-3600),
        105: lambda: stage.replay.seek(17.5),
    }
    await stage.replay.run(publish)
    assert stage.replay.began_ns == 1_600_000_000 * SECOND_NS
    assert [place for place, _ in told].count(4) > 1, "it was moved back"
    moved_to = {3: 3.5, 17: 17.5}
    for place, recorded_s in told:
        assert recorded_s in (place, moved_to.get(round(place)))
    stretches = stage.replay.stretches
    assert [each.jumped for each in stretches] == [True, *[False] * 4, True, True]
    assert [each.pace for each in stretches] == [1, 0.5, 0, 0.5, 4, 4, 4]


async def test_each_round_is_a_stretch_of_its_own(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE)
    await stage.run(naps=60)
    assert stage.replay.rounds >= 2
    assert all(each.jumped for each in stage.replay.stretches)
    assert len(stage.replay.stretches) == stage.replay.rounds + 1
    assert [stage.recorded_s(event.ts_event) for _, event in stage.events[:6]] == [
        0,
        0.25,
        1.25,
    ] * 2


async def test_as_fast_as_it_goes_nobody_knows_which_time_an_event_is_of(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *THREE, speed=0, loop=False)
    await stage.run()
    assert [stage.recorded_s(event.ts_event) for _, event in stage.events] == [None] * 3


async def test_a_short_recording_that_is_played_fast_keeps_the_newest_stretches(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path, *THREE, speed=1000)
    await stage.run(naps=400)
    assert stage.replay.rounds > KEPT_STRETCHES
    assert len(stage.replay.stretches) == KEPT_STRETCHES


async def test_the_first_trade_after_a_jump_is_marked(tmp_path: Path) -> None:
    lines = (match(0, 1), match(0.5, 2), match(0.5, 3, "B-USD"), match(5, 4))
    stage = Stage(tmp_path, *lines)
    stage.script = {10: lambda: stage.replay.seek(0.25), 20: lambda: stage.replay.seek(4.95)}
    await stage.run(naps=26)
    trades = [event for _, event in stage.events if isinstance(event, Trade)]
    assert [each.price for each in trades] == [1, 2, 3, 2, 3, 4, 1]
    assert [each.anew for each in trades] == [True, False, True, True, True, True, True]
