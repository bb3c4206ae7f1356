"""`EventSource`, the browser's own client of `/sse`, over a cut and a restart."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.market_page import eventually
from tests.integration import exchange
from tests.live_server import LiveServer, free_port
from tests.redis_server import RedisServer

LISTEN = """() => {
  window.seen = [];
  window.resets = [];
  const source = new EventSource("/sse/AAPL");
  source.onmessage = (event) => window.seen.push([event.lastEventId, event.data]);
  source.addEventListener("reset", (event) => window.resets.push(event.data));
  window.source = source;
}"""


class Proxy:
    """Pass connections on to a port, until they are cut."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self._target = port
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []

    def connect(self) -> None:
        """Listen."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and take no more."""
        for each in (self._listener, *self._open):
            if each is not None:
                with contextlib.suppress(OSError):  # ended by its other side
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._listener = None
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


class Market:
    """Publish numbered trades."""

    def __init__(self, redis: RedisServer) -> None:
        self.published = 0
        self._client = redis.client()

    def trade(self, count: int = 1) -> None:
        """Publish so many trades."""
        for _ in range(count):
            self.published += 1
            self._client.publish(exchange.CHANNEL, exchange.trade(self.published))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@pytest.fixture
def market(redis: RedisServer) -> Iterator[Market]:
    made = Market(redis)
    yield made
    made.close()


@pytest.fixture
def own_server(redis: RedisServer) -> Iterator[LiveServer]:
    with LiveServer(page=False, feed="redis", redis_url=redis.url) as running:
        yield running


@pytest.fixture
def proxy(own_server: LiveServer) -> Iterator[Proxy]:
    made = Proxy(own_server.port)
    made.connect()
    yield made
    made.cut()


OpenPage = Callable[[int], Page]


@pytest.fixture
def listen_at(browser: Browser) -> Iterator[OpenPage]:
    """Give a function that opens a page at a port and lets it listen."""
    context = browser.new_context()

    def opened(port: int) -> Page:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/api/health")
        page.evaluate(LISTEN)
        return page

    yield opened
    context.close()


def test_a_cut_is_mended_without_gap_or_double(
    listen_at: OpenPage, proxy: Proxy, market: Market
) -> None:
    page = listen_at(proxy.port)
    assert eventually(lambda: heard_after(page, market, 0))
    for _ in range(2):
        market.trade(50)
        assert eventually(lambda: numbers(page)[-1] == market.published)
        market.trade(50)
        proxy.cut()
        market.trade(50)
        assert eventually(lambda: page.evaluate("source.readyState") == 0)
        proxy.connect()
        assert eventually(lambda: numbers(page)[-1] == market.published, within_s=30)
    seen = numbers(page)
    assert seen == list(range(seen[0], market.published + 1))
    assert page.evaluate("resets") == []


def test_a_restart_gives_a_reset_and_a_new_epoch(
    listen_at: OpenPage, own_server: LiveServer, market: Market
) -> None:
    page = listen_at(own_server.port)
    assert eventually(lambda: heard_after(page, market, 0))
    before = page.evaluate("seen.at(-1)[0]")
    last = market.published
    own_server.restart()
    assert eventually(lambda: len(page.evaluate("resets")) == 1, within_s=60)
    assert "another epoch" in json.loads(page.evaluate("resets")[0])["reason"]
    assert eventually(lambda: heard_after(page, market, last))
    after = page.evaluate("seen.at(-1)[0]")
    assert before.partition(":")[0] != after.partition(":")[0]
    market.trade(50)
    assert eventually(lambda: numbers(page)[-1] == market.published)
    assert len(page.evaluate("resets")) == 1


def heard_after(page: Page, market: Market, earlier: int) -> bool:
    """Publish one trade more, and tell whether a trade newer than an earlier one has come."""
    market.trade()
    return numbers(page)[-1] > earlier


def numbers(page: Page) -> list[int]:
    """Give the numbers of the trades that the page has seen; 0 before the first."""
    trades = [json.loads(data)["data"] for _, data in page.evaluate("seen")]
    return [each["buyer_order_id"] for each in trades if "buyer_order_id" in each] or [0]
