"""A worker as the host sees it: a process, a socket to it, and the memory that both share."""

import asyncio
import contextlib
import mmap
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Self, cast

import msgspec

from dashboard.core.errors import WorkerLostError
from dashboard.trading.sandbox.limits import MB, Limits
from dashboard.trading.sandbox.messages import (
    LENGTH,
    NUMBER_BITS,
    RUNNING,
    Answer,
    Ready,
    Request,
)

ROOT = Path(__file__).parents[3]
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from dashboard.trading.sandbox.worker import main; main()"
)
NUMBERS = (1 << NUMBER_BITS) - 1
ANSWER_BYTES = 256 * MB
"""More than what comes of as many ticks as a message carries, whatever a strategy does."""
BUSY_NICE = 10
NS_PER_S = 1_000_000_000
DIED = "its process died in a call"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Answer).decode


def _open_shared() -> int:
    """Open memory that can be shared: a file without a name."""
    if sys.platform == "linux":
        shared = os.memfd_create("livetape-worker", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            shared = os.dup(file.fileno())
    os.ftruncate(shared, RUNNING.size)
    return shared


class Link(asyncio.Protocol):
    """One worker; of requests it takes one at a time. Make it by `start`.

    `lacking` are the layers of its sandbox that this system has not.
    """

    def __init__(self) -> None:
        self.lacking: tuple[str, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._shared = _open_shared()
        self._word = memoryview(mmap.mmap(self._shared, RUNNING.size)).cast("Q")
        self._process: asyncio.subprocess.Process | None = None
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._why = DIED
        self._is_lost = False

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Start a worker, and wait until it is ready: about 0.1 s.

        Raises:
            WorkerLostError: it cannot be started.
        """
        link = cls()
        try:
            await link._open(limits)
            ready = await link._expect()
        except BaseException:
            await link.close()
            raise
        link.lacking = tuple(cast("Ready", ready).lacking)
        return link

    async def _open(self, limits: Limits) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            await self._loop.create_unix_connection(lambda: self, sock=ours)
            arguments = (ROOT, theirs.fileno(), self._shared, msgspec.json.encode(limits).decode())
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-c",
                    START,
                    *map(str, arguments),
                    env={},
                    pass_fds=(theirs.fileno(), self._shared),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    start_new_session=True,  # a Ctrl-C is for the product, which ends it
                )
            except OSError as error:
                raise WorkerLostError(problem=f"a worker cannot be started: {error}") from error

    @property
    def running(self) -> int:
        """Give the word of the shared memory: it changes with each call."""
        return self._word[0]

    @property
    def is_busy(self) -> bool:
        """Tell whether a request waits for its answer."""
        return self._answer is not None

    @property
    def is_lost(self) -> bool:
        """Tell whether the worker has ended."""
        return self._is_lost

    def measure_cpu_s(self) -> float:
        """Give the CPU time that the worker has used; nothing of one that has ended."""
        if self._process is None:
            return 0.0
        try:
            return time.clock_gettime((~self._process.pid << 3) | 2)
        except OSError:
            return 0.0

    def measure_waited_s(self) -> float:
        """Give how long the worker could have run, but had no core; nothing where none can tell."""
        if self._process is None:
            return 0.0
        try:
            told = Path(f"/proc/{self._process.pid}/schedstat").read_text()
        except OSError:
            return 0.0
        return int(told.split()[1]) / NS_PER_S

    def be_nice(self) -> None:
        """Let everyone else go first."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, BUSY_NICE)

    async def ask(self, request: Request) -> Answer:
        """Send a request, and wait for its answer. Who is cancelled meanwhile ends the worker.

        Raises:
            WorkerLostError: the worker has ended.
        """
        data = _encode(request)
        if self._transport is None or self._is_lost:
            raise WorkerLostError(problem=self._why)
        self._transport.write(LENGTH.pack(len(data)) + data)
        return await self._expect()

    async def _expect(self) -> Answer:
        if self._is_lost:
            raise WorkerLostError(problem=self._why)
        self._answer = self._loop.create_future()
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.kill("its answer is waited for no more")
            raise
        finally:
            self._answer = None

    def kill(self, why: str) -> None:
        """End the worker at once; who waits for its answer is told why."""
        self._why = why
        self._is_lost = True
        self._end()

    async def close(self) -> None:
        """End the worker, and wait until it has ended. Safe to call twice."""
        self._is_lost = True
        self._end()
        if self._transport is not None:
            self._transport.close()
        if self._process is not None:
            await self._process.wait()
        if self._shared >= 0:
            os.close(self._shared)
            self._shared = -1

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line to write on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take an answer once it is whole."""
        pending = self._pending
        pending += data
        if len(pending) < LENGTH.size:
            return
        end = LENGTH.size + LENGTH.unpack_from(pending)[0]
        if end > ANSWER_BYTES:
            self.kill("its process sent too long an answer")
        if len(pending) < end:
            return
        message = bytes(pending[LENGTH.size : end])
        del pending[:end]
        if self._answer is not None and not self._answer.done():
            try:
                self._answer.set_result(_decode(message))
            except msgspec.DecodeError as error:
                self.kill(f"its process sent what is no answer: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that there will be no answer."""
        self._is_lost = True
        if self._answer is not None and not self._answer.done():
            number = self._word[0] & NUMBERS
            self._answer.set_exception(WorkerLostError(problem=self._why, number=number))
