"""Binance USD-M futures: combined streams of `bookTicker`, `aggTrade` and depth updates.

Source: Binance USDⓈ-M Futures documentation, "Websocket Market Streams" and "How
to manage a local order book correctly". A raw example:

    {"stream":"akrousdt@depth@100ms","data":{"e":"depthUpdate","E":1626992741077,
     "T":1626992740974,"s":"AKROUSDT","U":600859599831,"u":600859599831,
     "pu":600859598737,"b":[],"a":[["0.01737","437848"]]}}

`pu` is the `u` of the update before it: where that is newer than the last one that
came, there is a gap; an update whose `u` is not newer says nothing new. `m: true` says
that the buyer was the maker, so the aggressor sold. The price of a `bookTicker`
is the mid of its two sides, with no volume; it is no book.
"""

from collections.abc import Sequence

import msgspec

from dashboard.core.errors import ParseError
from dashboard.core.model import Side, Trade
from dashboard.feeds.parsing.changes import (
    BookDelta,
    Change,
    QuoteChange,
    parse_levels,
    parse_price,
    parse_size,
)

EXCHANGE = "BINANCE_FUTURES"


class _Data(msgspec.Struct, tag_field="e", gc=False):
    pass


class _BookTicker(_Data, tag="bookTicker"):
    symbol: str = msgspec.field(name="s")
    bid: str = msgspec.field(name="b")
    ask: str = msgspec.field(name="a")


class _AggTrade(_Data, tag="aggTrade"):
    symbol: str = msgspec.field(name="s")
    price: str = msgspec.field(name="p")
    size: str = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")


class _DepthUpdate(_Data, tag="depthUpdate"):
    symbol: str = msgspec.field(name="s")
    last: int = msgspec.field(name="u")
    previous: int = msgspec.field(name="pu")
    bids: list[tuple[str, str]] = msgspec.field(name="b")
    asks: list[tuple[str, str]] = msgspec.field(name="a")


class _Kline(_Data, tag="kline"):
    pass


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: _BookTicker | _AggTrade | _DepthUpdate | _Kline


class _Type(msgspec.Struct):
    e: str = ""


class _Types(msgspec.Struct):
    data: _Type = msgspec.field(default_factory=_Type)


_decoder = msgspec.json.Decoder(_Envelope)
_type_decoder = msgspec.json.Decoder(_Types)
_KNOWN = frozenset({"bookTicker", "aggTrade", "depthUpdate", "kline"})


def parse_message(text: str, ts_event: int) -> Sequence[Change] | None:
    """Read one message of a combined stream; `kline` carries no change, as we make our own bars.

    Raises:
        ParseError: for a message of a known type that is malformed, or no JSON.
    """
    try:
        data = _decoder.decode(text).data
    except msgspec.ValidationError as error:
        if _type_of(text) not in _KNOWN:
            return None
        raise ParseError(venue=EXCHANGE, problem=str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ParseError(venue=EXCHANGE, problem="the message is not JSON") from error
    match data:
        case _DepthUpdate():
            change = BookDelta(
                symbol=data.symbol,
                exchange=EXCHANGE,
                ts_event=ts_event,
                bids=parse_levels(EXCHANGE, data.bids),
                asks=parse_levels(EXCHANGE, data.asks),
                previous=data.previous,
                last=data.last,
            )
            return (change,)
        case _BookTicker():
            quote = QuoteChange(
                symbol=data.symbol,
                exchange=EXCHANGE,
                ts_event=ts_event,
                bid_price=parse_price(EXCHANGE, data.bid),
                ask_price=parse_price(EXCHANGE, data.ask),
            )
            return (quote,)
        case _AggTrade():
            return (_trade(data, ts_event),)
        case _Kline():
            return ()


def _trade(data: _AggTrade, ts_event: int) -> Trade:
    return Trade(
        symbol=data.symbol,
        exchange=EXCHANGE,
        price=parse_price(EXCHANGE, data.price),
        size=parse_size(EXCHANGE, data.size),
        aggressor_side=Side.SELL if data.buyer_is_maker else Side.BUY,
        ts_event=ts_event,
    )


def _type_of(text: str) -> str:
    try:
        return _type_decoder.decode(text).data.e
    except msgspec.ValidationError:
        return ""
