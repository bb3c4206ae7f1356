"""Build and run the load client in C, `fanout_client.c`."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

TEXT = 0x81
MASKED = 0x80
KEY = bytes(4)
"""A mask of zeros: allowed, and leaves the text as it is."""

Report = dict[str, Any]


class Greeting(NamedTuple):
    """What one client says: the path that it asks for, and its messages after the upgrade."""

    path: str
    messages: Sequence[str] = ()


class LoadClient:
    """The compiled client; it lies in a folder that is given and not ours to remove."""

    def __init__(self, folder: str) -> None:
        compiler = shutil.which("cc")
        if not (compiler and sys.platform == "linux"):
            sys.exit("The load client needs Linux and a C compiler, cc (apt install gcc).")
        self._folder = Path(folder)
        self._program = str(self._folder / "fanout_client")
        source = str(Path(__file__).with_suffix(".c"))
        subprocess.run([compiler, "-O2", "-o", self._program, source], check=True)

    @contextmanager
    def running(
        self,
        port: int,
        greetings: Sequence[Greeting],
        *,
        symbols: int,
        replies: int,
        stalled: int = 0,
        warmup_s: float,
        seconds: float,
        field: str = "ltp",
    ) -> Generator[Generator[Report]]:
        """Connect a client for each greeting; give what the program reports, as it comes.

        A client is ready after so many `replies`. The messages' prices stand in a `field` of
        this name. Leaving the block ends the program.
        """
        script = self._folder / "clients"
        script.write_bytes(b"".join(_pieces(port, each) for each in greetings))
        numbers = (symbols, replies, stalled, warmup_s, seconds)
        command = [self._program, str(port), str(script), field, *map(str, numbers)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            yield _reports(process)
        finally:
            process.kill()
            process.wait()


@contextmanager
def load_client() -> Generator[LoadClient]:
    """Build the client for a block."""
    with TemporaryDirectory(prefix="livetape-fanout-") as folder:
        yield LoadClient(folder)


def _reports(process: subprocess.Popen[bytes]) -> Generator[Report]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def _pieces(port: int, greeting: Greeting) -> bytes:
    request = (
        f"GET {greeting.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: bGl2ZXRhcGUgYmVuY2gxNg==\r\n\r\n"
    ).encode()
    frames = b"".join(_frame(message.encode()) for message in greeting.messages)
    return b"".join(struct.pack("<I", len(each)) + each for each in (request, frames))


def _frame(payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes((TEXT, MASKED | len(payload))) + KEY + payload
    return bytes((TEXT, MASKED | 126)) + len(payload).to_bytes(2) + KEY + payload
