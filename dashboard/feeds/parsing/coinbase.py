"""Coinbase Exchange: channels `level2`, `ticker` and `matches`.

Source: Coinbase Exchange documentation, "WebSocket Channels" (formerly Coinbase
Pro, "Websocket Feed"). A raw example:

    {"type":"l2update","product_id":"SKL-GBP","changes":[["sell","0.5762","335.0"]],
     "time":"2021-04-17T16:43:37.078325Z"}

`side` of a match is the maker's, so the aggressor's is the opposite. A
`last_match` is what was traded before the subscription: it becomes a trade
marked `historical`. Level2 carries no
sequence, so gaps cannot be seen in it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from dashboard.core.errors import ParseError
from dashboard.core.model import Price, Side, Trade
from dashboard.feeds.parsing.changes import (
    BookDelta,
    BookSnapshot,
    Change,
    parse_levels,
    parse_price,
    parse_size,
)

EXCHANGE = "COINBASE"

AGGRESSOR = {"buy": Side.SELL, "sell": Side.BUY}
"""The aggressor's side by the maker's."""


class _Message(msgspec.Struct, tag_field="type", gc=False):
    pass


class _Snapshot(_Message, tag="snapshot"):
    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Update(_Message, tag="l2update"):
    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]


class _Ticker(_Message, tag="ticker"):
    product_id: str
    price: str
    last_size: str = "0"


class _Match(_Message, tag="match"):
    product_id: str
    price: str
    size: str
    side: Literal["buy", "sell"]


class _LastMatch(_Match, tag="last_match"):
    pass


class _Subscriptions(_Message, tag="subscriptions"):
    pass


class _Heartbeat(_Message, tag="heartbeat"):
    pass


class _Type(msgspec.Struct):
    type: str = ""


_decoder = msgspec.json.Decoder(
    _Snapshot | _Update | _Ticker | _Match | _LastMatch | _Subscriptions | _Heartbeat
)
_type_decoder = msgspec.json.Decoder(_Type)
_KNOWN = frozenset(
    {"snapshot", "l2update", "ticker", "match", "last_match", "subscriptions", "heartbeat"}
)


def parse_message(text: str, ts_event: int) -> Sequence[Change] | None:
    """Read one message; `subscriptions` and `heartbeat` carry no change.

    Raises:
        ParseError: for a message of a known type that is malformed, or no JSON.
    """
    try:
        message = _decoder.decode(text)
    except msgspec.ValidationError as error:
        if _type_of(text) not in _KNOWN:
            return None
        raise ParseError(venue=EXCHANGE, problem=str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ParseError(venue=EXCHANGE, problem="the message is not JSON") from error
    match message:
        case _Update():
            return (_delta(message, ts_event),)
        case _Match():
            return (_trade(message, ts_event),)
        case _Ticker():
            return (_price(message, ts_event),)
        case _Snapshot():
            return (
                BookSnapshot(
                    symbol=message.product_id,
                    exchange=EXCHANGE,
                    ts_event=ts_event,
                    bids=parse_levels(EXCHANGE, message.bids),
                    asks=parse_levels(EXCHANGE, message.asks),
                ),
            )
        case _:
            return ()


def _delta(message: _Update, ts_event: int) -> BookDelta:
    bids: list[tuple[float, float]] = []
    asks: list[tuple[float, float]] = []
    for side, price, size in message.changes:
        level = (parse_price(EXCHANGE, price), parse_size(EXCHANGE, size))
        (bids if side == "buy" else asks).append(level)
    return BookDelta(
        symbol=message.product_id, exchange=EXCHANGE, ts_event=ts_event, bids=bids, asks=asks
    )


def _trade(message: _Match, ts_event: int) -> Trade:
    return Trade(
        symbol=message.product_id,
        exchange=EXCHANGE,
        price=parse_price(EXCHANGE, message.price),
        size=parse_size(EXCHANGE, message.size),
        aggressor_side=AGGRESSOR[message.side],
        historical=isinstance(message, _LastMatch),
        ts_event=ts_event,
    )


def _price(message: _Ticker, ts_event: int) -> Price:
    return Price(
        symbol=message.product_id,
        exchange=EXCHANGE,
        price=parse_price(EXCHANGE, message.price),
        volume=parse_size(EXCHANGE, message.last_size),
        ts_event=ts_event,
    )


def _type_of(text: str) -> str:
    try:
        return _type_decoder.decode(text).type
    except msgspec.ValidationError:
        return ""
