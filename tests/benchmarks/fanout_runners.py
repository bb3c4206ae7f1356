"""Start the servers that `bench_fanout.py` and `bench_stalled.py` measure, and what feeds them."""

import json
import multiprocessing
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from dashboard.feeds.parsing.static_data import EXCHANGE
from dashboard.protocols.openalgo.modes import Mode
from dashboard.storage.api_keys import KEY_FILE
from tests.benchmarks.fanout_client import Greeting
from tests.benchmarks.fanout_messages import ALL, Count, feed_numbered, instruments, symbol_of
from tests.benchmarks.processes import calling, running, serving_process, until, wait_for
from tests.benchmarks.web_servers import NCHAN, NGINX, granian, nginx
from tests.live_server import ROOT, environment, free_port
from tests.redis_server import RedisServer

SEED = 1
WS_VERSION = "8.23.0"
NODE_FOLDER = ROOT / ".data" / "benchmarks" / "node"
LOCATIONS = """
    location = /ws { nchan_subscriber websocket; nchan_channel_id $arg_channels;
      nchan_channel_id_split_delimiter ","; nchan_subscriber_first_message newest; }
    location ~ ^/publish/([a-zA-Z0-9]+)$ { nchan_publisher http; nchan_channel_id $1;
      nchan_message_buffer_length 1000; nchan_message_timeout 10s; }
"""


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


class Feed(NamedTuple):
    """What feeds a server: it waits for `begin`, and counts in `published` from then on."""

    process: psutil.Process
    begin: Event
    published: Count


@contextmanager
def feeding(served: Served, load: Load) -> Generator[Feed]:
    """Run what feeds a server for a block."""
    spawning = multiprocessing.get_context("spawn")
    begin, published = spawning.Event(), spawning.Value("Q", 0, lock=False)
    form, port = served.feed_form, served.feed_port
    with calling(
        feed_numbered, form, port, load.symbols, load.rate, begin, published
    ) as process_id:
        yield Feed(psutil.Process(process_id), begin, published)


def greetings(served: Served, load: Load) -> Sequence[Greeting]:
    """Make what each client says; who holds which symbols is random, and the same every time."""
    symbols = [symbol_of(number, load.symbols) for number in range(load.symbols)]
    chance = random.Random(SEED)
    return [served.greet(chance.sample(symbols, load.held)) for _ in range(load.clients)]


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
        command = [sys.executable, "-m", "dashboard.streaming.server"]
        with running(command, environment() | settings, cores=cores) as process:
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

            serves = serving_process(process)
            yield Served(port, serves, redis.port, "redis", greet, replies=2)


@contextmanager
def _websockets(_load: Load, cores: set[int]) -> Generator[Served]:
    port, feed_port = free_port(), free_port()
    command = [sys.executable, "-m", "tests.benchmarks.fanout_servers", str(port), str(feed_port)]
    with running(command, environment(), cores=cores) as process:
        wait_for(port)
        yield _peer(port, serving_process(process), feed_port)


@contextmanager
def _starlette(_load: Load, cores: set[int]) -> Generator[Served]:
    feed_port = free_port()
    app = "tests.benchmarks.fanout_servers:starlette_app"
    with granian(app, cores=cores, FANOUT_FEED_PORT=feed_port) as (port, worker):
        yield _peer(port, worker, feed_port)


@contextmanager
def _node(_load: Load, cores: set[int]) -> Generator[Served]:
    port, feed_port = free_port(), free_port()
    env = environment() | {"NODE_PATH": str(NODE_FOLDER / "node_modules")}
    # `node` on PATH may be a script that starts the program, and leaves it behind when it ends.
    asking = ["node", "-p", "process.execPath"]
    node = subprocess.run(
        asking, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [node, str(Path(__file__).with_name("fanout_node.cjs")), str(port), str(feed_port)]
    with running(command, env, cores=cores) as process:
        wait_for(port)
        yield _peer(port, serving_process(process), feed_port)


@contextmanager
def _nchan(load: Load, cores: set[int]) -> Generator[Served]:
    dense = load.held == load.symbols

    def greet(symbols: Sequence[str]) -> Greeting:
        return Greeting(f"/ws?channels={ALL if dense else ','.join(symbols)}")

    with nginx(LOCATIONS, cores=cores) as (port, worker):
        form = "posts" if dense else "symbol posts"
        yield Served(port, worker, port, form, greet, replies=0)


def _peer(port: int, process: psutil.Process, feed_port: int) -> Served:
    def greet(symbols: Sequence[str]) -> Greeting:
        return Greeting("/", [json.dumps(symbols)])

    return Served(port, process, feed_port, "lines", greet, replies=1)


def install_node_package() -> str | None:
    """Install ws for Node, once; tell what stands in the way, if anything does."""
    path = environment()["PATH"]
    if not (shutil.which("node", path=path) and shutil.which("npm", path=path)):
        return "Node and npm are missing"
    wanted = NODE_FOLDER / "node_modules" / "ws" / "package.json"
    if not wanted.exists() or json.loads(wanted.read_text())["version"] != WS_VERSION:
        options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund")
        command = ["npm", "install", *options, "--prefix", str(NODE_FOLDER), f"ws@{WS_VERSION}"]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        if done.returncode:
            return f"ws cannot be installed: {done.stderr.strip()[-200:]}"
    return None


def missing(server: str) -> str | None:
    """Tell what a server needs that this machine does not have; None where nothing is missing."""
    match server:
        case "nchan" if not (NGINX and NCHAN):
            return "nginx with Nchan is missing (apt install nginx-light libnginx-mod-nchan)"
        case "node":
            return install_node_package()
        case _:
            return None


RUNNERS: dict[str, Callable[[Load, set[int]], AbstractContextManager[Served]]] = {
    "nchan": _nchan,
    "node": _node,
    "websockets": _websockets,
    "starlette": _starlette,
    "ours": partial(_ours, Mode.QUOTE),
    "ours-ltp": partial(_ours, Mode.LTP),
}
"""By name, what runs a server on some cores, for a load that is to come."""
