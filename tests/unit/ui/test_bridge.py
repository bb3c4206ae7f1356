"""What a page may ask of the services."""

from typing import Any, cast

import pytest

from dashboard.bootstrap import Services
from dashboard.ui import bridge
from dashboard.ui.bridge import MAX_SPEED, control_replay
from dashboard.ui.watch import MAX_WATCHED
from tests.unit.ui.fake_services import FakeReplay, FakeServices, open_tab, pushes


def replaying() -> tuple[Services, FakeReplay]:
    replay = FakeReplay()
    return cast("Services", FakeServices(feeds=(replay,))), replay


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
        ("speed", 5e-324, "a speed is"),
        ("speed", 1e-320, "a speed is"),
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


def test_a_page_watches_what_it_names_by_symbol_or_full_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = FakeServices(symbols=tuple(f"S{number}" for number in range(80)))
    monkeypatch.setattr(bridge, "services", lambda: running)
    names = ["X:S7", "nope", "S3", "S7", "Y:S4"]
    assert [each.symbol for each in bridge.find_instruments(names)] == ["S7", "S3"]
    assert len(bridge.find_instruments(running.symbols)) == MAX_WATCHED
