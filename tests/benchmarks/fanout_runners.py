"""Start the servers that `bench_fanout.py` measures."""

import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from dashboard.feeds.parsing.static_data import EXCHANGE
from dashboard.protocols.openalgo.modes import Mode
from dashboard.storage.api_keys import KEY_FILE
from tests.benchmarks.fanout_client import Greeting
from tests.benchmarks.fanout_messages import instruments
from tests.benchmarks.processes import on_cores, running, until, wait_for
from tests.live_server import environment, free_port
from tests.redis_server import RedisServer


class Load(NamedTuple):
    """How many clients hold how many of the symbols each, and the messages/s over all symbols."""

    name: str
    clients: int
    rate: int
    symbols: int
    held: int


class Served(NamedTuple):
    """A running server: where clients and feeder go, and what they say to it."""

    port: int
    process: psutil.Process
    feed_port: int
    feed_form: str
    greet: Callable[[Sequence[str]], Greeting]
    """Make what a client says that wants these symbols."""
    replies: int
    """So many messages say that it gets them."""


def serving(server: str, load: Load, cores: set[int]) -> AbstractContextManager[Served]:
    """Run the server of a name, on these cores."""
    return _RUNNERS[server](load, cores)


@contextmanager
def _ours(mode: Mode, load: Load, cores: set[int]) -> Generator[Served]:
    port = free_port()
    with RedisServer() as redis, TemporaryDirectory(prefix="livetape-fanout-") as folder:
        redis.fill(instruments(load.symbols))
        settings = {
            "DASHBOARD_FEED": "redis",
            "DASHBOARD_REDIS_URL": redis.url,
            "DASHBOARD_DATA_DIR": folder,
            "DASHBOARD_STREAM_PORT": str(port),
            "DASHBOARD_STREAM_MAX_CLIENTS": str(load.clients + 1),
            "DASHBOARD_LTP_THROTTLE_MS": "0",
            "DASHBOARD_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "dashboard.endpoints.stream_server"]
        with on_cores(cores), running(command, env=environment() | settings) as process:
            wait_for(port)
            key_file = Path(folder, KEY_FILE)
            until(lambda: key_file.exists() and key_file.read_text() != "", "there is a key")
            key = key_file.read_text().strip()

            def greet(symbols: Sequence[str]) -> Greeting:
                listed = [{"exchange": EXCHANGE, "symbol": symbol} for symbol in symbols]
                return Greeting(
                    "/",
                    (
                        json.dumps({"action": "authenticate", "api_key": key}),
                        json.dumps({"action": "subscribe", "symbols": listed, "mode": int(mode)}),
                    ),
                )

            serves = psutil.Process(process.pid)
            yield Served(port, serves, redis.port, "redis", greet, replies=2)


_RUNNERS: dict[str, Callable[[Load, set[int]], AbstractContextManager[Served]]] = {
    "ours": partial(_ours, Mode.QUOTE),
    "ours-ltp": partial(_ours, Mode.LTP),
}
