"""Our own `/ws`, so that a recording of it can be played again.

Source: `dashboard/protocols/live.py` and the README. A raw example:

    {"type":"trade","symbol":"BTC/USD","exchange":"CRYPTO","price":45000.5,"size":0.25,
     "side":"buy","ts":1700000000000000,"seq":7,"id":"18bcfe56800:42"}

Older recordings do not name the exchange: then an instrument is of LIVETAPE. `system`
frames are known and left out: the figures are those of the process that was
recorded, and there is one `system` topic, which is this process's own. So are
the frames about the connection itself, and what runners told. The price that a trade
makes has a frame of its own. Prices may be below zero: what was recorded may be an
exchange's.
"""

from collections.abc import Sequence

import msgspec

from dashboard.core.errors import ParseError
from dashboard.core.model import Price, PriceLevel, Side, Trade
from dashboard.feeds.parsing.changes import ABSURD_PRICE, ABSURD_SIZE, BookSnapshot, Change
from dashboard.protocols.runner_events import EVENT_TYPES

EXCHANGE = "LIVETAPE"


class _Frame(msgspec.Struct, tag_field="type", gc=False):
    pass


class _Price(_Frame, tag="price"):
    symbol: str
    price: float
    volume: float
    exchange: str = EXCHANGE


class _Trade(_Frame, tag="trade"):
    symbol: str
    price: float
    size: float
    side: Side
    exchange: str = EXCHANGE


class _Book(_Frame, tag="book"):
    symbol: str
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    exchange: str = EXCHANGE


class _Type(msgspec.Struct):
    type: str = ""


_decoder = msgspec.json.Decoder(_Price | _Trade | _Book)
_type_decoder = msgspec.json.Decoder(_Type)
_told_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CARRIED = frozenset({"price", "trade", "book"})
_LEFT_OUT = frozenset({"system", "control", "subscribed", "conflated", "reset"})


def parse_message(text: str, ts_event: int) -> Sequence[Change] | None:
    """Read one frame that the server sent.

    Raises:
        ParseError: for a frame of a known type that is malformed, or no JSON.
    """
    try:
        frame: _Price | _Trade | _Book = _decoder.decode(text)
    except msgspec.ValidationError as error:
        type_ = _type_of(text)
        if type_ in _CARRIED:
            raise ParseError(venue=EXCHANGE, problem=str(error)) from error
        return () if type_ in _LEFT_OUT or _is_of_runner(text) else None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ParseError(venue=EXCHANGE, problem="the message is not JSON") from error
    symbol, exchange = frame.symbol, frame.exchange
    match frame:
        case _Price(price=price, volume=volume):
            _check((price, volume))
            return (
                Price(
                    symbol=symbol, exchange=exchange, price=price, volume=volume, ts_event=ts_event
                ),
            )
        case _Trade(price=price, size=size, side=side):
            _check((price, size))
            trade = Trade(
                symbol=symbol,
                exchange=exchange,
                price=price,
                size=size,
                aggressor_side=side,
                priced=True,
                ts_event=ts_event,
            )
            return (trade,)
        case _Book(bids=bids, asks=asks):
            _check(*bids, *asks)
            book = BookSnapshot(
                symbol=symbol, exchange=exchange, bids=bids, asks=asks, ts_event=ts_event
            )
            return (book,)


def _check(*levels: PriceLevel) -> None:
    for price, size in levels:
        if not (-ABSURD_PRICE < price < ABSURD_PRICE and 0 <= size < ABSURD_SIZE):
            raise ParseError(venue=EXCHANGE, problem=f"{price!r} for {size!r} is no level")


def _type_of(text: str) -> str:
    try:
        return _type_decoder.decode(text).type
    except msgspec.ValidationError:
        return ""


def _is_of_runner(text: str) -> bool:
    try:
        return len(told := _told_decoder.decode(text)) == 1 and told.keys() <= EVENT_TYPES.keys()
    except msgspec.ValidationError:
        return False
