"""What clients may change of the feeds."""

from typing import Any

import pytest

from dashboard.commands.requests import ControlReplay, SetFrequency
from dashboard.config import SPEED_MAX
from dashboard.core.errors import CommandError
from dashboard.core.model import Control, Event
from dashboard.feeds.controls import Frequency, Replays
from tests.unit.fake_feeds import FakeFeed
from tests.unit.fakes import Clock
from tests.unit.ui.fake_product import FakeReplay


class Paced(FakeFeed):
    paced = True

    def __init__(self) -> None:
        super().__init__("paced")
        self.intervals: list[int] = []

    def set_interval(self, interval_ms: int) -> None:
        self.intervals.append(interval_ms)


def asked(action: str, value: Any = 0.0, *, feed: str = "replay") -> ControlReplay:
    return ControlReplay(feed=feed, action=action, value=value)


def replays(replay: FakeReplay, told: list[str]) -> Replays:
    return Replays([FakeFeed("simulator"), replay], told=told.append)


async def test_controls_reach_the_replay_and_each_is_told() -> None:
    replay, told = FakeReplay(), list[str]()
    controls = replays(replay, told)
    await controls.control(asked("pause"))
    assert replay.paused
    await controls.control(asked("resume"))
    assert not replay.paused
    for speed in (0.25, 10, 0):
        await controls.control(asked("speed", speed))
        assert replay.speed == speed
    await controls.control(asked("seek", 33.5))
    assert replay.position_s == 33.5
    assert told == ["replay"] * 6


@pytest.mark.parametrize(("asked_s", "reached_s"), [(1e300, 90.0), (-5, 0)])
async def test_a_place_outside_the_recording_is_clamped_to_its_ends(
    asked_s: float, reached_s: float
) -> None:
    replay = FakeReplay()
    await replays(replay, []).control(asked("seek", asked_s))
    assert replay.position_s == reached_s


@pytest.mark.parametrize(
    ("action", "value", "reason"),
    [
        ("speed", -1, "a speed is"),
        ("speed", 5e-324, "a speed is"),
        ("speed", 1e-320, "a speed is"),
        ("speed", SPEED_MAX + 1, "a speed is"),
        ("speed", float("nan"), "no finite number"),
        ("seek", float("inf"), "no finite number"),
        ("rewind", 0, "not one of"),
    ],
)
async def test_a_wrong_control_is_refused_with_a_reason(
    action: str, value: float, reason: str
) -> None:
    replay, told = FakeReplay(), list[str]()
    with pytest.raises(CommandError, match=reason):
        await replays(replay, told).control(asked(action, value))
    assert (replay.speed, replay.position_s, replay.paused, told) == (1.0, 12.3456, False, [])


@pytest.mark.parametrize("feed", ["simulator", "nothing"])
async def test_what_is_no_replay_cannot_be_controlled(feed: str) -> None:
    with pytest.raises(CommandError, match="no feed of this name"):
        await replays(FakeReplay(), []).control(asked("pause", feed=feed))


@pytest.mark.parametrize(("asked_ms", "set_ms"), [(25.4, 25), (1, 10), (5000, 1000)])
async def test_the_frequency_is_clamped_told_and_the_interval_of_paced_feeds(
    asked_ms: float, set_ms: int
) -> None:
    events: list[Event] = []
    paced = Paced()
    frequency = Frequency([FakeFeed(), paced], publish=events.append, clock=Clock(5))
    assert await frequency.set(SetFrequency(frequency_ms=asked_ms)) == set_ms
    assert paced.intervals == [set_ms]
    assert events == [Control(frequency_ms=set_ms, ts_event=5)]


async def test_what_is_no_number_is_no_frequency() -> None:
    frequency = Frequency([], publish=lambda _: pytest.fail("told"), clock=Clock())
    with pytest.raises(CommandError, match="no finite number"):
        await frequency.set(SetFrequency(frequency_ms=float("nan")))
