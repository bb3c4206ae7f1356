"""Start and stop what a benchmark measures, and what feeds it."""

import contextlib
import multiprocessing
import os
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import psutil

from tests.live_server import ROOT

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10


@contextmanager
def running(
    command: list[str], env: Mapping[str, str] | None = None, *, cores: set[int] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program in the project's folder, without its standard output, for a block.

    With `cores`, which needs Linux, it runs on these alone, and so does what it starts.
    """
    with on_cores(cores) if cores else contextlib.nullcontext():
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def calling(target: Callable[..., None], *args: object) -> Generator[int]:
    """Call a function of a module in a new process for a block; give the process's id."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=args, daemon=True)
    process.start()
    try:
        yield process.pid or 0
    finally:
        process.kill()
        process.join()


@contextmanager
def on_cores(cores: set[int]) -> Generator[None]:
    """Have what is started in the block run on these cores alone; on Linux."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def leave_a_core() -> set[int]:
    """Move this process off one core, and what it starts too; give that core, for a server.

    Where there is only one core, it is shared.
    """
    cores = os.sched_getaffinity(0)
    left = {min(cores)}
    os.sched_setaffinity(0, cores - left or left)
    return left


def wait_for(port: int) -> None:
    """Wait until somebody listens on a port of 127.0.0.1.

    Raises:
        RuntimeError: when nobody does within 20 s.
    """

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(listens, f"somebody listens on {port}")


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds.

    Raises:
        RuntimeError: when it does not within 20 s.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {START_TIMEOUT_S} s: {what}")
        time.sleep(0.02)


def serving_process(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Give the process that serves: the largest that a server has started, or else itself."""
    own = psutil.Process(process.pid)
    return max(own.children() or [own], key=lambda each: each.memory_info().rss)
