"""The stream of batches to one page, against a real hub and without a browser."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from dashboard.bootstrap import Services
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Book, Instrument, Price
from dashboard.feeds.base import Feed, FeedState, Publish, SeekableFeed
from dashboard.feeds.simulator import Simulator
from dashboard.feeds.supervisor import Supervisor
from dashboard.hub.hub import Hub
from dashboard.ui import bridge
from dashboard.ui.bridge import MAX_SPEED, control_replay
from dashboard.ui.tab import MAX_WATCHED, SLOTS, Tab
from tests.unit.fakes import Clock

Batch = dict[str, Any]


class FakeReplay:
    """A feed with the controls of a replay, that never plays anything."""

    name = "replay"
    flowing_state = FeedState.REPLAYED
    gaps = 0
    skipped = 0
    duration_s = 90.0

    def __init__(self) -> None:
        self.paused = False
        self.speed = 1.0
        self.position_s = 12.3456

    def instruments(self) -> Sequence[Instrument]:
        return []

    async def run(self, publish: Publish) -> None: ...

    async def subscribe(self, instrument: Instrument) -> None: ...

    async def unsubscribe(self, instrument: Instrument) -> None: ...

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, seconds: float) -> None:
        self.position_s = seconds


@dataclass
class FakeServices:
    """What a tab needs of the services: a hub, instruments, and one setting."""

    hub: Hub = field(default_factory=lambda: Hub(epoch="e", clock=Clock(), resume_events=100))
    frequency_ms: int = 10
    symbols: tuple[str, ...] = ("A", "B")
    conflates: bool = False
    feeds: tuple[Feed, ...] = ()

    @property
    def instruments(self) -> dict[str, Instrument]:
        return {s: Instrument(symbol=s, exchange="X", tick_size=0.01) for s in self.symbols}

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.feeds, publish=self.hub.publish, clock=Clock(), stale_after_ms=1000)

    @property
    def replays(self) -> dict[str, SeekableFeed]:
        return {feed.name: feed for feed in self.feeds if isinstance(feed, SeekableFeed)}

    def price(self, symbol: str, price: float) -> None:
        self.hub.publish(Price(symbol=symbol, exchange="X", price=price, volume=1, ts_event=0))

    def book(self, symbol: str, bid: float) -> None:
        levels = ((bid, 1.0),)
        self.hub.publish(Book(symbol=symbol, exchange="X", bids=levels, asks=levels, ts_event=0))


def open_tab(running: FakeServices, *, watched: tuple[str, ...] = ("A", "B")) -> Tab:
    return Tab(cast("Services", running), watched=watched, chosen="A")


async def pushes(tab: Tab, *steps: Callable[[], object]) -> list[tuple[str, Batch]]:
    """Run a tab's stream; after each push take one step, after the last one close it."""
    sent: list[tuple[str, Batch]] = []
    left = list(steps)

    async def send(slot: str, batch: Batch) -> None:
        sent.append((slot, batch))
        if left:
            left.pop(0)()
        else:
            tab.close()

    async with asyncio.timeout(10):
        await tab.run(send)
    return sent


async def test_first_push_describes_and_brings_the_latest_values() -> None:
    running = FakeServices()
    running.price("A", 1.5)
    running.book("A", 1.4)
    running.book("B", 2.4)
    [(_, first)] = await pushes(open_tab(running))
    assert first["d"]["symbols"] == [["A", "X", 2], ["B", "X", 2]]
    assert first["d"]["chosen"] == "A"
    assert first["d"]["frequency_ms"] == 10
    assert first["p"] == [0, 1.5]
    assert first["b"] == [0, [1.4, 1.0], [1.4, 1.0]]
    assert first["c"] == 0, "what is only caught up is not counted"
    assert "h" not in first


async def test_every_event_is_counted_and_every_watched_price_is_carried() -> None:
    running = FakeServices()

    def burst() -> None:
        for number in range(30):
            running.price("A", number)
            running.price("B", 100 + number)

    sent = await pushes(open_tab(running, watched=("B",)), burst)
    assert sent[1][1]["c"] == 60
    assert sent[1][1]["p"] == [x for number in range(30) for x in (0, 100 + number)]


async def test_feed_with_a_rate_of_its_own_is_conflated_and_still_counted() -> None:
    running = FakeServices(conflates=True)
    sent = await pushes(open_tab(running), lambda: [running.price("A", n) for n in range(30)])
    assert sent[1][1]["c"] == 30
    assert sent[1][1]["p"] == [0, 29]


async def test_pushes_are_numbered_and_take_the_slots_in_turn() -> None:
    running = FakeServices()
    steps = [lambda: running.price("A", 1)] * (SLOTS + 1)
    sent = await pushes(open_tab(running), *steps)
    assert [batch["n"] for _, batch in sent] == list(range(1, SLOTS + 3))
    assert {slot for slot, _ in sent} == {f"slot_{number}" for number in range(SLOTS)}
    assert len({batch["g"] for _, batch in sent}) == 1


async def test_paused_stream_carries_no_market_and_resumes_with_the_latest() -> None:
    running = FakeServices()
    tab = open_tab(running)
    sent = await pushes(
        tab,
        lambda: (tab.pause(paused=True), running.price("A", 2.0)),
        lambda: running.price("A", 3.0),
        lambda: tab.pause(paused=False),
    )
    while_paused = [batch for _, batch in sent[1:3]]
    assert all(batch["c"] == 0 and "p" not in batch for batch in while_paused)
    assert while_paused[0]["d"]["paused"] is True
    assert sent[3][1]["d"]["paused"] is False
    assert sent[3][1]["p"] == [0, 3.0]


async def test_chosen_book_is_sent_at_once_and_the_others_are_not() -> None:
    running = FakeServices()
    running.book("B", 2.4)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.choose("B"), lambda: running.book("A", 1.0))
    assert "b" not in sent[0][1]
    assert sent[1][1]["b"][0] == 1
    assert sent[1][1]["d"]["chosen"] == "B"
    assert "b" not in sent[2][1]


async def test_change_of_the_watchlist_changes_numbers_and_description_together() -> None:
    running = FakeServices()
    running.price("A", 1.0)
    running.price("B", 2.0)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.watch(["B", "nope"]))
    assert sent[1][1]["v"] == sent[0][1]["v"] + 1
    assert sent[1][1]["d"]["symbols"] == [["B", "X", 2]]
    assert sent[1][1]["d"]["chosen"] == "B"
    assert sent[1][1]["p"] == [0, 2.0]


async def test_no_more_symbols_are_watched_than_a_page_can_show() -> None:
    running = FakeServices(symbols=tuple(f"S{number}" for number in range(80)))
    [(_, first)] = await pushes(open_tab(running, watched=running.symbols))
    assert len(first["d"]["symbols"]) == MAX_WATCHED
    assert first["d"]["known"] == 80


async def test_change_of_the_frequency_is_described() -> None:
    running = FakeServices()
    sent = await pushes(open_tab(running), lambda: setattr(running, "frequency_ms", 50))
    assert sent[1][1]["d"]["frequency_ms"] == 50
    assert sent[1][1]["d"]["interval_ms"] == 50


async def test_page_clock_comes_back_once() -> None:
    running = FakeServices()
    tab = open_tab(running)
    report = {"shift_ms": 0.0, "period_ms": 16.7, "seen_shifts": 0, "page_ms": 123.0}
    sent = await pushes(
        tab,
        lambda: (tab.report(**report), running.price("A", 1)),
        lambda: running.price("A", 2),
    )
    assert sent[1][1]["e"][0] == 123.0
    assert "e" not in sent[2][1]


async def test_hub_that_closes_ends_the_stream() -> None:
    running = FakeServices()
    sent = await pushes(open_tab(running), running.hub.close)
    assert len(sent) == 1
    late = running.hub.subscribe(
        name="late", wants=lambda _: True, capacity=1, policy=OverflowPolicy.CONFLATE
    )
    assert late.closed


def replaying() -> tuple[Services, FakeReplay]:
    replay = FakeReplay()
    return cast("Services", FakeServices(feeds=(replay,))), replay


async def test_feed_that_is_a_replay_tells_where_it_is() -> None:
    [(_, first)] = await pushes(open_tab(FakeServices(feeds=(FakeReplay(),))))
    [feed] = first["f"]
    assert feed["name"] == "replay"
    assert feed["position_s"] == 12.35
    assert feed["duration_s"] == 90.0
    assert feed["speed"] == 1.0
    assert feed["paused"] is False


async def test_feed_that_is_no_replay_has_no_position() -> None:
    simulator = Simulator(interval_ms=50, clock=Clock(), seed=1, symbols=5)
    [(_, first)] = await pushes(open_tab(FakeServices(feeds=(simulator,))))
    assert "position_s" not in first["f"][0]


def test_controls_reach_the_replay() -> None:
    running, replay = replaying()
    assert control_replay(running, "replay", "pause", 0) is None
    assert replay.paused
    assert control_replay(running, "replay", "resume", 0) is None
    assert not replay.paused
    for speed in (0.25, 10, 0):
        assert control_replay(running, "replay", "speed", speed) is None
        assert replay.speed == speed
    assert control_replay(running, "replay", "seek", 33.5) is None
    assert replay.position_s == 33.5


def test_place_outside_the_recording_is_clamped_to_its_ends() -> None:
    running, replay = replaying()
    assert control_replay(running, "replay", "seek", 1e300) is None
    assert replay.position_s == 90.0
    assert control_replay(running, "replay", "seek", -5) is None
    assert replay.position_s == 0


@pytest.mark.parametrize(
    ("control", "value", "reason"),
    [
        ("speed", -1, "a speed is"),
        ("speed", MAX_SPEED + 1, "a speed is"),
        ("speed", float("nan"), "no finite number"),
        ("seek", float("inf"), "no finite number"),
        ("seek", "12", "no finite number"),
        ("seek", None, "no finite number"),
        ("rewind", 0, "not one of"),
    ],
)
def test_wrong_control_is_ignored_with_a_reason(control: str, value: Any, reason: str) -> None:
    running, replay = replaying()
    assert reason in str(control_replay(running, "replay", control, value))
    assert (replay.speed, replay.position_s, replay.paused) == (1.0, 12.3456, False)


def test_control_of_a_feed_that_is_no_replay_is_ignored() -> None:
    running, _ = replaying()
    assert "no feed" in str(control_replay(running, "simulator", "pause", 0))


async def test_every_page_is_told_of_a_control_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running = FakeServices(feeds=(FakeReplay(),))
    tab = open_tab(running)
    monkeypatch.setattr(bridge, "_tabs", {"a page": tab})
    sent = await pushes(
        tab,
        lambda: running.price("A", 1),
        lambda: control_replay(cast("Services", running), "replay", "pause", 0),
    )
    assert "f" not in sent[1][1]
    assert sent[2][1]["f"][0]["paused"] is True
