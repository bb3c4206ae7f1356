"""What runners get and do, in files that can be run again."""

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from dashboard.commands.trading import ControlRunner, RemoveRunner
from dashboard.core.trading.events import TickReceived
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, MarketData, Program
from dashboard.trading import recorder
from dashboard.trading.recorder import Entry, Recorder, Recording
from tests.unit.trading.parts import Parts, running, trade

PROGRAM = Program(
    runner_id="one",
    symbol="BTCUSDT",
    exchange="CRYPTO",
    bar="tick",
    strategy_name="mine",
    version=3,
    code="secret",
)


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with running(tmp_path) as parts:
        yield parts


def lines(folder: Path, name: str = "one.log") -> list[Any]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def tick(number: int) -> MarketData:
    return MarketData(
        symbol="BTCUSDT",
        timestamp=number,
        open=1.0,
        high=1.0,
        low=1.0,
        close=1.0,
        volume=2.0,
        bid=0.5,
        ask=1.5,
    )


def stepped(*numbers: int) -> Stepped:
    events = [
        TickReceived(runner_id="one", symbol="A", exchange="B", data=tick(each), ts_event=0)
        for each in numbers
    ]
    return Stepped(events=events, committed=Committed(), ticks=len(events))


def write(writer: Recorder, recording: Recording) -> None:
    writer.append([(recording, recording.take())])


async def test_a_runner_is_recorded_from_its_beginning(parts: Parts) -> None:
    await parts.create(parameters={"fast": 5})
    parts.publish(*(trade(100.0 + ms, ms=ms) for ms in range(1, 4)))
    await parts.engine.saver.write()
    begin, *told = lines(parts.folder / "runners")
    begun = begin["begin"]
    assert (begun["strategy_name"], begun["version"], begun["bar"]) == ("trader", 1, "tick")
    assert (begun["parameters"], begun["window"]) == ({"fast": 5, "any": 1}, [])
    assert begun["committed"]["state"] == "Idle"
    assert "code" not in begun
    assert told[0] == [1, 101.0, 101.0, 101.0, 101.0, 1.0, 101.0, 101.0]
    assert [each[0] for each in told if isinstance(each, list)] == [1, 2, 3]
    action = told[-1]
    assert (action["action"]["type"], action["context"]) == ("EnterLong", {"ticks": 3})


async def test_a_restart_goes_on_behind_what_was_recorded(parts: Parts) -> None:
    await parts.create()
    parts.publish(trade(100.0, ms=1))
    after = await parts.restarted()
    after.publish(trade(101.0, ms=2))
    await after.engine.saver.write()
    first, one, begin, two = lines(parts.folder / "runners")
    assert (one[0], two[0]) == (1, 2)
    assert first["begin"]["window"] == []
    assert begin["begin"]["window"] == [one]
    assert begin["begin"]["committed"]["context"] == '{"ticks":1}'
    await after.close()


async def test_a_runner_that_begins_anew_says_so_and_one_that_is_removed_leaves_nothing(
    parts: Parts,
) -> None:
    await parts.create()
    for action in ("stop", "resume"):
        await parts.ask(ControlRunner(runner_id="one", action=action))
    await parts.engine.saver.write()
    assert ["begin" in each for each in lines(parts.folder / "runners")] == [True, True]
    await parts.ask(RemoveRunner(runner_id="one"))
    assert list((parts.folder / "runners").iterdir()) == []


def test_of_two_full_files_the_older_one_goes(tmp_path: Path) -> None:
    writer, recording = Recorder(tmp_path, segment_bytes=2000), Recording("one")
    recording.begin(PROGRAM, Committed(), [])
    for number in range(200):
        recording.note(stepped(number))
        if recording.is_full:
            recording.begin(PROGRAM, Committed(), [tick(number)])
        write(writer, recording)
    older, newer = lines(tmp_path, "one.log.old"), lines(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"one.log", "one.log.old"}
    for part in (older, newer):
        (last,) = part[0]["begin"]["window"]
        assert last[0] + 1 == part[1][0]  # it goes on where it was cut
    assert older[-1][0] == newer[0]["begin"]["window"][0][0]
    assert newer[-1][0] == 199
    assert all(each.stat().st_size < 2600 for each in tmp_path.iterdir())


def test_a_line_that_a_killed_process_left_ends_before_the_next(tmp_path: Path) -> None:
    writer, recording = Recorder(tmp_path), Recording("one")
    (tmp_path / "one.log").write_text("[1,2]\n[3,")
    recording.note(stepped(7))
    write(writer, recording)
    assert (tmp_path / "one.log").read_text().splitlines()[:2] == ["[1,2]", "[3,"]
    assert (tmp_path / "one.log").read_text().endswith("[7,1.0,1.0,1.0,1.0,2.0,0.5,1.5]\n")


def test_too_much_that_waits_is_forgotten_and_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MAX_WAITING", 10)
    recording = Recording("one")
    recording.note(stepped(*range(11)))
    assert not recording.is_lost
    recording.note(stepped(11))
    assert recording.is_lost
    recording.begin(PROGRAM, Committed(), [tick(11)])
    writer = Recorder(tmp_path)
    write(writer, recording)
    assert not recording.is_lost
    assert "begin" in lines(tmp_path)[-1]
    assert len(lines(tmp_path)) == 2


def test_a_disk_that_takes_nothing_is_told_of_once(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("no folder")
    writer, recording = Recorder(folder), Recording("one")
    with capture_logs() as logs:
        for number in range(3):
            recording.note(stepped(number))
            write(writer, recording)
    assert [each["event"] for each in logs] == ["the ticks of runners cannot be recorded"]


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    writer, recording = Recorder(tmp_path / "new"), Recording("one")
    recording.note(stepped(1))
    write(writer, recording)
    assert stat.S_IMODE((tmp_path / "new" / "one.log").stat().st_mode) == 0o600


def test_nothing_is_kept_of_what_was_taken() -> None:
    recording = Recording("one")
    recording.note(stepped(1, 2))
    taken: list[Entry] = list(recording.take())
    assert len(taken) == 2
    assert list(recording.take()) == []
