import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from dashboard.core.model import Event, Price
from dashboard.feeds.parsing.wslog import Connected, Received, Sent
from dashboard.feeds.record import main
from dashboard.feeds.recording import Recording
from dashboard.feeds.replay import Replay
from tests.live_server import ROOT
from tests.unit.fakes import Clock

FRAME = '{"type":"price","symbol":"A/B","price":1.25,\n"volume":2,"ts":1,"seq":1,"id":"e:1"}'


@asynccontextmanager
async def venue(*frames: str | bytes, hang: bool = True) -> AsyncGenerator[str]:
    """Run a server that sends the frames after the client's first message."""

    async def handle(socket: ServerConnection) -> None:
        await socket.recv()
        for frame in frames:
            await socket.send(frame)
        if hang:
            await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"


async def record(*arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dashboard.feeds.record", *arguments, cwd=ROOT
    )
    return await process.wait()


@pytest.mark.parametrize("name", ["a.wslog", "a.wslog.gz"])
async def test_what_is_recorded_can_be_played(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    greeting = '{"hello":1}'
    async with venue(FRAME, FRAME.encode()) as url:
        arguments = [url, "--output", str(path), "--seconds", "1.5", "--send", greeting]
        assert await record(*arguments) == 0
    recording = Recording(path)
    records = [record for _, record in recording.records()]
    assert [type(each) for each in records] == [Connected, Sent, Received, Received]
    assert isinstance(records[1], Sent)
    assert (records[1].url, records[1].text) == (url, greeting)
    events: list[Event] = []
    await Replay(recording, clock=Clock(), speed=0, loop=False).run(events.append)
    assert [event.price for event in events if isinstance(event, Price)] == [1.25, 1.25]


async def test_a_lost_connection_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wslog"
    async with venue(FRAME, hang=False) as url:
        await record(url, "--output", str(path), "--seconds", "3", "--send", "{}")
    assert path.read_text().count("<->") >= 2


def test_no_server_is_one_line_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.wslog"
    assert main(["ws://127.0.0.1:9/ws", "--output", str(path)]) == 1
    assert capsys.readouterr().err.startswith("recording failed: ")
    assert not path.exists()


def test_no_recording_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.wslog"
    path.write_text("precious")
    assert main(["ws://127.0.0.1:9/ws", "--output", str(path)]) == 1
    assert "exists" in capsys.readouterr().err
    assert path.read_text() == "precious"
