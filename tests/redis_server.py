"""Start and stop a real redis-server on a free port, and fill it with static data."""

import contextlib
import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import redis

from dashboard.core.instruments import Instrument, Sent
from tests.live_server import free_port
from tests.programs import Program

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


class RedisServer(Program):
    """A redis-server of 127.0.0.1 that keeps nothing on disk.

    `start` after `stop` takes the same port, and finds no key of before.
    """

    name = "redis-server"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    @property
    def url(self) -> str:
        """Give the address, for `DASHBOARD_REDIS_URL`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """Make a client of one's own; the caller closes it."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def command(self) -> Sequence[str | Path]:
        """Give the program and its options."""
        return (
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", self.folder, "--daemonize", "no"),
        )

    def answers(self) -> bool:
        """Ping it."""
        with self.client() as client, contextlib.suppress(redis.ConnectionError):
            return bool(client.ping())
        return False

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
