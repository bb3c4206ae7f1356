"""Whose books come over which connection of a recording. Pure.

A received message does not say over which connection it came. But what a
connection carries is told by its address or by what was sent over it:

    wss://fstream.binance.com/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker
    {"method":"SUBSCRIBE","params":["btcusdt@depth"],"id":1}                Binance
    {"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2"]}    Coinbase
    {"type":"subscribe","symbols":["BTC/USD","NSE:TCS"]}                    our own /ws

So when the connection is made anew, the books of those symbols begin anew, and no
others. One that names nothing carries the books of its venue that no other names.
Several connections to one address are told apart by what they subscribe to.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, urlsplit

import msgspec

from dashboard.core.instruments import InstrumentKey
from dashboard.feeds.parsing import binance_futures, coinbase
from dashboard.feeds.parsing.markets import Markets
from dashboard.feeds.parsing.venues import exchange_of


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = msgspec.field(default_factory=list[str])


class _Request(msgspec.Struct):
    """What the venues' requests hold, each its own part of it."""

    type: str = ""
    product_ids: list[str] = msgspec.field(default_factory=list[str])
    channels: list[str | _Channel] = msgspec.field(default_factory=list[str | _Channel])
    method: str = ""
    params: list[str] = msgspec.field(default_factory=list[str])
    symbols: list[str] | None = None


_decoder = msgspec.json.Decoder(_Request)


class _Connection:
    """One address: the books that come over it now, and those that ever came."""

    def __init__(self) -> None:
        self.named = False
        self.now: set[InstrumentKey] = set()
        self.ever: set[InstrumentKey] = set()


class Connections:
    """Let the books of a connection that is made anew begin anew in `markets`."""

    def __init__(self, markets: Markets) -> None:
        self._markets = markets
        self._by_url: dict[str, _Connection] = {}

    def connect(self, url: str) -> None:
        """Take note of a connection that was made."""
        again = url in self._by_url
        connection = self._by_url.setdefault(url, _Connection())
        connection.now.clear()
        exchange = exchange_of(url)
        if again and not connection.named:
            named = set[InstrumentKey]().union(*(each.ever for each in self._by_url.values()))
            self._markets.forget_books(exchange, but=named)
        streams = list(_streams_of(url)) if exchange == binance_futures.EXCHANGE else []
        if streams:
            connection.named = True
            self._claim(connection, exchange, _with_depth(streams))

    def send(self, url: str, text: str) -> None:
        """Take note of what was sent over a connection."""
        try:
            request = _decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return
        connection = self._by_url.setdefault(url, _Connection())
        exchange = exchange_of(url)
        match (request.type or request.method).lower():
            case "subscribe":
                symbols = _books_of(request, exchange)
                if symbols is not None:
                    connection.named = True
                    self._claim(connection, exchange, symbols)
            case "unsubscribe":
                symbols = _books_of(request, exchange) or ()
                connection.now.difference_update((exchange, symbol) for symbol in symbols)
            case _:
                pass

    def _claim(self, connection: _Connection, exchange: str, symbols: Iterable[str]) -> None:
        keys = {(exchange, symbol) for symbol in symbols}
        self._markets.forget((keys - connection.now) & connection.ever)
        connection.now |= keys
        connection.ever |= keys


def _books_of(request: _Request, exchange: str) -> Iterable[str] | None:
    """Give the symbols whose books a request is about; None where it is about all."""
    if exchange == binance_futures.EXCHANGE:
        return _with_depth(request.params)
    if exchange == coinbase.EXCHANGE:
        return _with_level2(request)
    if request.symbols is None:
        return None
    return [symbol.rpartition(":")[2] for symbol in request.symbols]


def _streams_of(url: str) -> Iterator[str]:
    """Give the streams that an address of Binance names: `btcusdt@depth` and the like."""
    parts = urlsplit(url)
    for path in (parts.path.rpartition("/ws/")[2], *parse_qs(parts.query).get("streams", ())):
        yield from (stream for stream in path.split("/") if "@" in stream)


def _with_depth(streams: Iterable[str]) -> Iterator[str]:
    for stream in streams:
        symbol, _, kind = stream.partition("@")
        if kind.startswith("depth"):
            yield symbol.upper()


def _with_level2(request: _Request) -> Iterator[str]:
    for channel in request.channels:
        described = _Channel(channel) if isinstance(channel, str) else channel
        if described.name.startswith("level2"):
            yield from described.product_ids or request.product_ids
