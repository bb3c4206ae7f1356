"""What `bench_fanout.py` feeds to the servers: the same messages, in the form that each takes.

A message's price is n * 10^9 + t: n is its number, rising by one over all symbols,
and t the time when it was sent, in microseconds of the monotonic clock modulo 10^9.
That is a whole number below 9 * 10^15, which a double holds exactly. Its symbol is
number n mod `symbols`.
"""

import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from typing import Protocol

from dashboard.core.instruments import Instrument
from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import Side, Trade
from dashboard.feeds.parsing.static_data import EXCHANGE
from dashboard.feeds.parsing.timestamps import format_timestamp
from dashboard.feeds.redis_feed import CHANNEL, FEED
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.protocols.openalgo.quotes import encode_data
from tests.benchmarks.feeding import feed, http_post

CYCLE = 1_000_000_000
ALL = "all"
"""The name of Nchan's channel that carries every symbol."""
SIZE = 5.0

Frame = Callable[[int], bytes]
"""Make what is written to a server from a message's number."""


class Count(Protocol):
    """A number that two processes see."""

    value: int


def instruments(symbols: int) -> Sequence[Instrument]:
    """List what is traded, as the exchange's static data describe it."""
    return [
        Instrument(
            symbol=symbol_of(number, symbols),
            exchange=EXCHANGE,
            tick_size=1,
            underlying="UNDERLYING",
            absolute_limit=1,
            delta_limit=1,
        )
        for number in range(symbols)
    ]


def symbol_of(number: int, symbols: int) -> str:
    """Name the symbol of a message."""
    return f"S{number % symbols:04}"


def feed_numbered(
    form: str, port: int, symbols: int, rate: int, begin: Event, published: Count
) -> None:
    """Feed a server in its form once `begin` is set, and count in `published`; never returns."""
    frame = _FRAMES[form](symbols)

    def counted(number: int) -> bytes:
        published.value = number
        return frame(number)

    begin.wait()
    feed(port, counted, rate)


def _price(number: int) -> int:
    return number * CYCLE + time.monotonic_ns() // 1000 % CYCLE


def _publishing(symbols: int) -> Frame:
    """Publish the exchange's trades in Redis."""

    def frame(number: int) -> bytes:
        symbol, timestamp = symbol_of(number, symbols), format_timestamp(time.time_ns())
        text = (
            '{"type":"trade","data":{"buyer":"ann","buyer_order_id":17,'
            f'"instrument":"{symbol}","price":{_price(number)},"seller":"bob",'
            f'"seller_order_id":18,"timestamp":"{timestamp}","volume":{SIZE:g}}},'
            f'"timestamp":"{timestamp}","instrument":"{symbol}"}}'
        )
        return b"".join((b"*3\r\n", *map(_bulk, ("PUBLISH", CHANNEL, text))))

    return frame


def _bulk(text: str) -> bytes:
    return f"${len(text)}\r\n{text}\r\n".encode()


def _finished(symbols: int) -> Callable[[int], tuple[str, bytes]]:
    """Make of the same trades the symbol and the very text that our server would send."""
    quotes = [
        MarketQuote(exchange=each.exchange, symbol=each.symbol) for each in instruments(symbols)
    ]

    def finish(number: int) -> tuple[str, bytes]:
        quote = quotes[number % symbols]
        quote.apply(
            Trade(
                symbol=quote.symbol,
                exchange=quote.exchange,
                price=float(_price(number)),
                size=SIZE,
                aggressor_side=Side.BUY,
                ts_event=time.time_ns(),
            )
        )
        return quote.symbol, encode_data(quote, Form(Mode.QUOTE), broker=FEED)

    return finish


def _lines(symbols: int) -> Frame:
    """Write a line for each message: symbol, tab, text."""
    finish = _finished(symbols)

    def frame(number: int) -> bytes:
        symbol, text = finish(number)
        return b"%b\t%b\n" % (symbol.encode(), text)

    return frame


def _posts(symbols: int) -> Frame:
    """Post each message to the one channel of all symbols."""
    finish = _finished(symbols)
    return lambda number: http_post(f"/publish/{ALL}", finish(number)[1])


def _symbol_posts(symbols: int) -> Frame:
    """Post each message to the channel of its symbol."""
    finish = _finished(symbols)

    def frame(number: int) -> bytes:
        symbol, text = finish(number)
        return http_post(f"/publish/{symbol}", text)

    return frame


_FRAMES: dict[str, Callable[[int], Frame]] = {
    "redis": _publishing,
    "lines": _lines,
    "posts": _posts,
    "symbol posts": _symbol_posts,
}
