import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

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
    status, _ = await told(*arguments)
    return status


async def told(*arguments: str) -> tuple[int, str]:
    """Record; give the exit status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dashboard.feeds.record", *arguments),
        cwd=ROOT,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


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


@pytest.mark.parametrize("hang", [True, False])
async def test_a_key_is_shown_and_never_written(tmp_path: Path, hang: bool) -> None:
    key = "lt_" + "k" * 43
    (tmp_path / "api-key").write_text(key + "\n")
    shown: list[str] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        shown.append(socket.request.headers["Authorization"])
        shown.append(str(await socket.recv()))
        await socket.send(f'{{"type":"echo","of":"{key}"}}')
        if hang:
            await socket.wait_closed()

    path = tmp_path / "a.wslog"
    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        status, said = await told(
            f"ws://127.0.0.1:{port}/ws?a=1&api_key=other",
            *("--key-file", str(tmp_path / "api-key"), "--output", str(path), "--seconds", "2"),
            *("--send", f'{{"action":"authenticate","api_key":"{key}"}}'),
        )
    assert status == 0
    assert shown[:2] == [f"Bearer {key}", f'{{"action":"authenticate","api_key":"{key}"}}']
    recorded = path.read_text()
    assert '"of":"***"' in recorded
    assert f"ws://127.0.0.1:{port}/ws?a=1&api_key=*** <->" in recorded
    for secret in (key, "other"):
        assert secret not in recorded + said


async def test_a_refusal_does_not_say_the_key(tmp_path: Path) -> None:
    key = "lt_" + "k" * 43
    (tmp_path / "api-key").write_text(key)

    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(401, request.headers["Authorization"])

    async def handle(_: ServerConnection) -> None:
        raise AssertionError("it was refused")

    async with serve(handle, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        status, said = await told(
            f"ws://127.0.0.1:{port}/ws?api_key={key}",
            *("--key-file", str(tmp_path / "api-key"), "--output", str(tmp_path / "a.wslog")),
        )
    assert status == 1
    assert "HTTP 401" in said
    assert key not in said


@pytest.mark.parametrize("content", ["", "two\nlines", "é"])
def test_what_is_no_key_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "api-key").write_text(content)
    for file in ("api-key", "missing"):
        assert main(["ws://127.0.0.1:9/ws", "--key-file", str(tmp_path / file)]) == 1
        assert capsys.readouterr().err.startswith("recording failed: ")


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
