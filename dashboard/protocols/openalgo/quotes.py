"""The data frames: a quote as a client of one mode gets it. Unknown numbers are 0."""

from collections.abc import Sequence
from math import isfinite

import msgspec

from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import PriceLevel
from dashboard.protocols.openalgo.modes import Form, Mode

NS_PER_MS = 1_000_000
ROUNDED_BELOW = 2**52 / 1_000_000
"""From here on a float has no more than six digits after the point."""


class _Ltp(msgspec.Struct, gc=False):
    symbol: str
    exchange: str
    ltp: float
    timestamp: int


class _Level(msgspec.Struct, gc=False):
    price: float
    quantity: float
    orders: int = 0


class _Depth(msgspec.Struct):
    buy: list[_Level]
    sell: list[_Level]


class _Quote(_Ltp):
    """The fields of the document, and the other names that clients read.

    It is filled in order: so many names would take ten times as long.
    """

    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float
    ask: float
    bid_qty: float
    ask_qty: float
    oi: float
    prev_oi: float
    average_price: float
    avg_trade_price: float
    last_quantity: float
    last_trade_quantity: float
    change: float
    change_percent: float
    bid_price: float
    ask_price: float
    bid_size: float
    ask_size: float
    depth: _Depth | msgspec.UnsetType = msgspec.UNSET


class _Frame(msgspec.Struct, tag_field="type", tag="market_data"):
    symbol: str
    exchange: str
    mode: int
    data: _Ltp | _Quote
    broker: str


_encoder = msgspec.json.Encoder()


def serves(quote: MarketQuote, mode: Mode) -> bool:
    """Tell whether enough is known for a mode: LTP needs a price."""
    return quote.ltp is not None or mode is not Mode.LTP


def encode_data(quote: MarketQuote, form: Form, *, broker: str) -> bytes:
    """Write a quote in one form."""
    data = _ltp(quote) if form.mode is Mode.LTP else _quote(quote, form.levels)
    return _encoder.encode(_Frame(quote.symbol, quote.exchange, int(form.mode), data, broker))


def _ltp(quote: MarketQuote) -> _Ltp:
    return _Ltp(quote.symbol, quote.exchange, quote.ltp or 0, quote.ts_event // NS_PER_MS)


def _quote(quote: MarketQuote, levels: int) -> _Quote:
    day = quote.today
    average = _rounded(day.average_price or 0) if day is not None else 0
    last = _quantity(quote.last_quantity)
    bid, ask = quote.bid_price or 0, quote.ask_price or 0
    bid_size, ask_size = _quantity(quote.bid_size), _quantity(quote.ask_size)
    return _Quote(
        quote.symbol,
        quote.exchange,
        quote.ltp or 0,
        quote.ts_event // NS_PER_MS,
        0 if day is None else day.open,
        0 if day is None else day.high,
        0 if day is None else day.low,
        quote.close or 0,
        0 if day is None else _quantity(day.volume),
        bid,
        ask,
        bid_size,
        ask_size,
        _quantity(quote.open_interest),
        _quantity(quote.previous_open_interest),
        average,
        average,
        last,
        last,
        _rounded(quote.change or 0),
        _rounded(quote.change_percent or 0, 10_000),
        bid,
        ask,
        bid_size,
        ask_size,
        (
            _Depth(_levels(quote.bids, levels), _levels(quote.asks, levels))
            if levels
            else msgspec.UNSET
        ),
    )


def _levels(side: Sequence[PriceLevel], count: int) -> list[_Level]:
    return [_Level(price, _quantity(size)) for price, size in side[:count]]


def _quantity(size: float) -> float:
    """Give a whole number as an integer, as clients of stock exchanges expect; else 6 digits.

    A sum beyond all numbers is unknown: 0.
    """
    try:
        whole = int(size)
    except (OverflowError, ValueError):
        return 0
    return whole if whole == size else _rounded(size)


def _rounded(number: float, parts: int = 1_000_000) -> float:
    """Round to six digits, or to other `parts` of one, in a quarter of the time of `round`.

    What is no number is unknown: 0.
    """
    if abs(number) < ROUNDED_BELOW:
        return round(number * parts) / parts
    return number if isfinite(number) else 0
