"""What a process can do no more once it is locked down, tried in one that is."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.live_server import ROOT

TRIES = """
import ctypes, json, os, signal, socket, sys, threading, time
from dashboard.trading.sandbox.lockdown import lock_down

ours, theirs = socket.socketpair()
libc = ctypes.CDLL(None, use_errno=True)
lacking = lock_down(address_bytes=100 << 20)

def fail(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")

TRIES = {
    "read a file": lambda: open("/etc/passwd"),
    "write a file": lambda: open("/tmp/livetape-escape", "w"),
    "list a folder": lambda: os.listdir("/"),
    "fork": os.fork,
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "open a socket": socket.socket,
    "connect": lambda: ours.connect("/run/any"),
    "begin a thread": lambda: threading.Thread(target=print).start(),
    "kill its parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "kill a thread of its parent": lambda: fail(
        libc.syscall(234, os.getppid(), os.getppid(), signal.SIGTERM)
    ),
    "trace its parent": lambda: fail(libc.ptrace(16, os.getppid(), 0, 0)),
    "be root": lambda: os.setuid(0),
    "change its limits": lambda: fail(libc.setrlimit(9, ctypes.create_string_buffer(16))),
    "take more memory": lambda: bytearray(200 << 20),
    "take some memory": lambda: bytearray(50 << 20),
    "talk on its socket": lambda: (os.write(ours.fileno(), b"x"), os.read(theirs.fileno(), 1)),
    "tell the time": lambda: (time.monotonic(), time.process_time()),
    "sleep": lambda: time.sleep(0.001),
}

def attempt(name):
    try:
        TRIES[name]()
    except (OSError, MemoryError, RuntimeError) as error:
        return type(error).__name__
    return "done"

os.write(1, json.dumps([lacking, {name: attempt(name) for name in TRIES}]).encode())
"""
STAYS = {"take some memory", "talk on its socket", "tell the time", "sleep"}


@pytest.fixture(scope="module")
def tried() -> Mapping[str, str]:
    if sys.platform != "linux":
        pytest.skip("the sandbox's layers are Linux's")
    done = subprocess.run(
        [sys.executable, "-c", TRIES], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    lacking, tried = json.loads(done.stdout)
    if lacking:
        pytest.skip(f"this system has no {', '.join(lacking)}")
    return tried


def test_it_can_compute_and_talk(tried: Mapping[str, str]) -> None:
    assert {name for name, outcome in tried.items() if outcome == "done"} == STAYS


def test_all_else_is_refused(tried: Mapping[str, str]) -> None:
    refused = {name: outcome for name, outcome in tried.items() if name not in STAYS}
    assert refused.pop("begin a thread") == "RuntimeError"
    assert refused.pop("take more memory") == "MemoryError"
    assert set(refused.values()) == {"PermissionError"}
