import json
from collections.abc import Collection, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import InstrumentKey
from dashboard.feeds.parsing.connections import Connections
from dashboard.feeds.parsing.markets import Markets

BINANCE = "wss://fstream.binance.com/stream?streams="
COINBASE = "wss://ws-feed.exchange.coinbase.com"
LIVETAPE = "ws://127.0.0.1:3000/ws"


class Books(Markets):
    """Remembers what was to be forgotten, the venue's name for all of its books."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten: list[str] = []
        self.kept: list[str] = []

    def forget(self, books: Iterable[InstrumentKey]) -> None:
        self.forgotten += sorted(symbol for _, symbol in books)

    def forget_books(self, exchange: str, *, but: Collection[InstrumentKey] = ()) -> None:
        self.forgotten.append(exchange)
        self.kept = sorted(symbol for _, symbol in but)


def subscribe(*products: str, channels: Iterable[object] = ("level2",), **more: object) -> str:
    request = {"type": "subscribe", "product_ids": products, "channels": list(channels)}
    return json.dumps(request | more)


def test_a_connection_made_anew_forgets_the_books_that_its_address_names() -> None:
    books = Books()
    connections = Connections(books)
    first = BINANCE + "btcusdt@depth@100ms/btcusdt@aggTrade/solusdt@bookTicker"
    second = BINANCE + "ethusdt@depth"
    for url in (first, second):
        connections.connect(url)
    assert books.forgotten == []
    connections.connect(first)
    assert books.forgotten == ["BTCUSDT"]
    connections.connect(second)
    assert books.forgotten == ["BTCUSDT", "ETHUSDT"]


def test_a_raw_stream_is_named_by_the_path() -> None:
    books = Books()
    connections = Connections(books)
    for _ in range(2):
        connections.connect("wss://fstream.binance.com/ws/btcusdt@depth/ethusdt@aggTrade")
    assert books.forgotten == ["BTCUSDT"]


def test_a_connection_made_anew_forgets_the_books_that_it_subscribes_to() -> None:
    books = Books()
    connections = Connections(books)
    for products in (("A-USD", "B-USD"), ("C-USD",)):
        connections.connect(COINBASE)
        connections.send(COINBASE, subscribe(*products))
        connections.send(COINBASE, subscribe(*products, channels=["ticker", "matches"]))
    assert books.forgotten == []
    connections.connect(COINBASE)
    connections.send(COINBASE, subscribe("C-USD"))
    assert books.forgotten == ["C-USD"]
    connections.connect(COINBASE)
    connections.send(COINBASE, subscribe("A-USD", "B-USD"))
    assert books.forgotten == ["C-USD", "A-USD", "B-USD"]


@pytest.mark.parametrize(
    ("url", "request_"),
    [
        (COINBASE, subscribe("A")),
        (COINBASE, subscribe("A", channels=["ticker", "level2_batch"])),
        (COINBASE, subscribe(channels=[{"name": "level2", "product_ids": ["A"]}])),
        (COINBASE, subscribe("A", "B", channels=[{"name": "level2_50", "product_ids": ["A"]}])),
        (BINANCE, '{"method":"SUBSCRIBE","params":["a@depth@500ms","b@bookTicker"],"id":1}'),
        (LIVETAPE, '{"type":"subscribe","symbols":["A"]}'),
        (LIVETAPE, '{"type":"subscribe","symbols":["NSE:A"],"streams":["market"]}'),
    ],
)
def test_every_venue_has_its_own_request(url: str, request_: str) -> None:
    books = Books()
    connections = Connections(books)
    for _ in range(2):
        connections.connect(url)
        connections.send(url, request_)
    assert books.forgotten == ["A"]


def test_what_is_subscribed_to_again_begins_anew_without_a_new_connection() -> None:
    books = Books()
    connections = Connections(books)
    connections.connect(COINBASE)
    connections.send(COINBASE, subscribe("A", "B"))
    connections.send(COINBASE, subscribe("A", "B"))
    connections.send(COINBASE, subscribe("B", type="unsubscribe"))
    connections.send(COINBASE, subscribe("A", "B"))
    assert books.forgotten == ["B"]


def test_a_connection_that_names_nothing_has_all_that_no_other_names() -> None:
    books = Books()
    connections = Connections(books)
    other = "wss://ws-direct.exchange.coinbase.com"
    connections.connect(other)
    connections.send(other, subscribe("A"))
    for request in ("{}", "no request", '{"type":"hello"}'):
        connections.connect(COINBASE)
        connections.send(COINBASE, request)
    assert (books.forgotten, books.kept) == (["COINBASE"] * 2, ["A"])


@given(st.lists(st.tuples(st.booleans(), st.text() | st.binary().map(repr)), max_size=5))
def test_any_text_is_no_error(sent: list[tuple[bool, str]]) -> None:
    connections = Connections(Markets())
    for whether, text in sent:
        if whether:
            connections.connect(text)
        connections.send(text, text)
