"""Start and stop a real redis-server on a free port, and fill it with static data."""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import redis

from dashboard.core.instruments import Instrument, Sent
from tests.live_server import free_port

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10

INSTRUMENTS = (
    Instrument(
        symbol="AAPL",
        exchange="REDIS",
        tick_size=0.01,
        underlying="AAPL_STOCK",
        absolute_limit=100,
        delta_limit=20,
        sends=tuple(Sent),
    ),
    Instrument(
        symbol="AAPL/DEC",
        exchange="REDIS",
        tick_size=0.05,
        underlying="AAPL_STOCK",
        absolute_limit=50,
        delta_limit=20,
        sends=tuple(Sent),
    ),
    Instrument(
        symbol="GOOGL",
        exchange="REDIS",
        tick_size=0.25,
        underlying="GOOGL_STOCK",
        absolute_limit=200,
        delta_limit=40,
        sends=tuple(Sent),
    ),
)
"""What `fill` stores unless told otherwise."""


class RedisServer:
    """A redis-server of 127.0.0.1 that keeps nothing on disk; a context manager.

    `start` after `stop` takes the same port, and finds no key of before.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.mkdtemp(prefix="livetape-redis-")

    @property
    def url(self) -> str:
        """Give the address, for `DASHBOARD_REDIS_URL`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """Make a client of one's own; the caller closes it."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: with the end of the log when it does not come up.
        """
        log = Path(self._folder, "redis.log")
        self.process = subprocess.Popen(
            [
                *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", self._folder),
                *("--logfile", str(log), "--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        with self.client() as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.02)
                else:
                    return
        self.stop()
        raise RuntimeError(f"redis-server did not start:\n{log.read_text()[-2000:]}")

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it has; SIGKILL is a crash, a stopped server is no error."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(by)
        process.send_signal(signal.SIGCONT)  # one that is frozen would not end
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)

    def freeze(self) -> None:
        """Let it answer nothing, its connections open, until `thaw`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def fill(self, instruments: Sequence[Instrument] = INSTRUMENTS) -> None:
        """Store static data; each instrument needs an underlying and both limits."""
        with self.client() as client:
            client.mset(dict(static_data(instruments)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def static_data(instruments: Sequence[Instrument] = INSTRUMENTS) -> Mapping[str, str]:
    """Give the keys and texts that an exchange with these instruments stores."""
    limits = {each.underlying: each.delta_limit for each in instruments}
    underlyings = [{"name": name, "delta_limit": limit} for name, limit in limits.items()]
    described = [
        {"name": each.symbol, "underlying": each.underlying, "tick_size": each.tick_size}
        for each in instruments
    ]
    return {
        "static_data:instruments": json.dumps(described),
        "static_data:underlyings": json.dumps(underlyings),
        **{
            f"static_data:{each.symbol}_absolute_limit": f"{each.absolute_limit:g}"
            for each in instruments
        },
        **{f"static_data:{name}_limit": f"{limit:g}" for name, limit in limits.items()},
    }
