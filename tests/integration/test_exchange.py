"""The demonstration exchange as a user runs it, against real redis-servers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import httpx
import psutil
import pytest
import redis

from dashboard.core.model import Book, Kind, Pnl, Positions, Quote, Trade
from dashboard.feeds.parsing.exchange import ExchangeParser
from dashboard.feeds.parsing.static_data import parse_static_data
from tests.live_server import ROOT, LiveServer, free_port
from tests.redis_server import RedisServer

DEADLINE_S = 20


class Exchange:
    """`python -m dashboard.exchange` with these arguments and settings; a context manager."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.output = folder / "output"
        self.errors = folder / "errors"
        self.command = [sys.executable, "-m", "dashboard.exchange", *arguments]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("DASHBOARD_")}
        self.environment = inherited | environment

    @property
    def lines(self) -> list[str]:
        """Give what it has said so far."""
        return self.output.read_text().splitlines()

    @property
    def url(self) -> str:
        """Give the address that it names."""
        eventually(lambda: len(self.lines) >= 3)
        return self.lines[0].split()[-1]

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def __enter__(self) -> Self:
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read(client: redis.Redis, keys: Sequence[str]) -> list[bytes | None]:
    found = client.mget(list(keys))
    assert isinstance(found, list)
    return found


def listen(client: redis.Redis, count: int) -> list[bytes]:
    """Give the next messages of the channel, read from the start of the subscription."""
    with client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("market_data")
        found: list[bytes] = []
        deadline = time.monotonic() + DEADLINE_S
        while len(found) < count and time.monotonic() < deadline:
            message = channel.get_message(timeout=0.5)
            if message:
                found.append(message["data"])
    assert len(found) >= count
    return found


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with Exchange(tmp_path_factory.mktemp("exchange"), "--rate", "500", "--seed", "1") as running:
        yield running


def test_it_says_how_to_run_the_product_on_it(exchange: Exchange) -> None:
    url = exchange.url
    assert exchange.lines[:3] == [
        f"Redis with a moving market on {url}",
        "Run Livetape on it in another terminal:",
        f"  DASHBOARD_FEED=redis DASHBOARD_REDIS_URL={url} make run",
    ]


def test_the_feed_understands_all_of_it(exchange: Exchange) -> None:
    with exchange.client() as client:
        found = parse_static_data(partial(read, client))
        assert not found.warnings
        names = {each.symbol for each in found.instruments}
        assert {"AAPL", "GOOGL", "MSFT", "BTC/USD"} < names
        parser = ExchangeParser(found.instruments)
        for symbol in names:
            for kind, key in (
                (Kind.BOOK, "orderbook"),
                (Kind.QUOTE, "bbo"),
                (Kind.PRICE, "last_trade"),
            ):
                (text,) = read(client, [f"{key}:{symbol}"])
                assert text is not None
                assert parser.parse_stored(kind, symbol, text, time.time_ns())
        theos = read(client, [f"theo:{each.underlying}" for each in found.instruments])
        assert all(float(text or 0) > 0 for text in theos)
        events = [event for raw in listen(client, 1200) for event in parser.parse_message(raw)]
    assert {type(event) for event in events} >= {Book, Quote, Trade, Positions, Pnl}
    assert {event.symbol for event in events if isinstance(event, Book)} == names


def test_who_subscribes_and_then_reads_misses_nothing(exchange: Exchange) -> None:
    with exchange.client() as client, client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("market_data")
        channel.get_message(timeout=1)
        stored = json.loads(read(client, ["orderbook:AAPL"])[0] or "")
        messages: list[str] = []
        while not messages or messages[-1] <= stored["timestamp"]:
            message = channel.get_message(timeout=DEADLINE_S)
            assert message is not None
            envelope = json.loads(message["data"])
            if envelope["type"] == "orderbook_update" and envelope["instrument"] == "AAPL":
                messages.append(envelope["timestamp"])
    assert messages == sorted(messages)


def test_the_product_runs_on_it(exchange: Exchange) -> None:
    with LiveServer(page=False, feed="redis", redis_url=exchange.url) as server:
        url = f"http://127.0.0.1:{server.port}/api"
        assert len(httpx.get(f"{url}/instruments").json()) == 6

        def live() -> bool:
            feed = httpx.get(f"{url}/health").json()["feeds"]["redis"]
            assert feed["skipped"] == 0
            return feed["state"] == "live" and feed["events"] > 300

        eventually(live)


@pytest.mark.parametrize(
    ("number", "rate"),
    [(signal.SIGINT, 200), (signal.SIGTERM, 100_000), (signal.SIGHUP, 100_000)],
)
def test_a_signal_ends_it_and_its_redis(tmp_path: Path, number: signal.Signals, rate: int) -> None:
    with Exchange(tmp_path, "--rate", str(rate)) as exchange:
        with exchange.client() as client:
            listen(client, 100)
        (server,) = psutil.Process(exchange.process.pid).children()
        assert exchange.end(number) == 0
        assert not server.is_running()
    assert len(exchange.lines) == 3
    assert exchange.errors.read_text() == ""


def test_its_redis_is_started_again(tmp_path: Path) -> None:
    with Exchange(tmp_path) as exchange, exchange.client() as client:
        (server,) = psutil.Process(exchange.process.pid).children()
        server.kill()
        eventually(lambda: "Redis is back and filled again" in exchange.lines)
        assert not parse_static_data(partial(read, client)).warnings
        listen(client, 100)
        assert sum("redis-server has ended" in line for line in exchange.lines) == 1


def test_a_given_redis_may_go_and_come_back(tmp_path: Path) -> None:
    with RedisServer() as server, Exchange(tmp_path, DASHBOARD_REDIS_URL=server.url) as exchange:
        assert exchange.url == server.url
        assert psutil.Process(exchange.process.pid).children() == []
        server.stop()
        eventually(lambda: any("Redis is lost" in line for line in exchange.lines))
        server.start()
        eventually(lambda: exchange.lines[-1] == "Redis is back and filled again")
        with server.client() as client:
            assert client.exists("static_data:instruments", "orderbook:BTC/USD") == 2
            listen(client, 100)
            exchange.end()
            assert client.ping()


def test_a_frozen_redis_is_noticed_and_outlived(tmp_path: Path) -> None:
    with RedisServer() as server, Exchange(tmp_path, DASHBOARD_REDIS_URL=server.url) as exchange:
        assert exchange.url == server.url
        server.freeze()
        eventually(lambda: any("Redis is lost" in line for line in exchange.lines))
        server.thaw()
        eventually(lambda: exchange.lines[-1] == "Redis is back and filled again")
        with server.client() as client:
            listen(client, 100)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DASHBOARD_REDIS_URL": "redis://u:secret@127.0.0.1:{port}/0"}, "Redis cannot be written"),
        ({"DASHBOARD_REDIS_URL": "localhost:6379 secret"}, "DASHBOARD_REDIS_URL="),
        ({"PATH": ""}, "apt install redis-server"),
    ],
)
def test_what_makes_it_impossible_is_said_in_one_line(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    values = {name: text.format(port=free_port()) for name, text in environment.items()}
    with Exchange(tmp_path, **values) as exchange:
        assert exchange.process.wait(DEADLINE_S) == 1
    (line,) = exchange.errors.read_text().splitlines()
    assert line.startswith("exchange: ")
    assert expected in line
    assert exchange.lines == []


@pytest.mark.parametrize("rate", ["0", "-5", "nan", "many", "1e9"])
def test_a_rate_that_makes_no_sense_is_refused(tmp_path: Path, rate: str) -> None:
    with Exchange(tmp_path, f"--rate={rate}") as exchange:
        assert exchange.process.wait(DEADLINE_S) == 2
    assert "--rate" in exchange.errors.read_text()
