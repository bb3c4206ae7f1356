"""The wire forms of the exchange's messages: checked and decoded, nothing more. Pure.

A message of the channel `market_data` is an envelope, `{"type","data","timestamp"}`
with `instrument` or `client`; what its `data` hold depends on the type, see the
example in `exchange`. Whatever is of no use is a `ParseError` with its `Cause`.
"""

from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from dashboard.core.errors import ParseError
from dashboard.feeds.parsing.changes import ABSURD_PRICE, ABSURD_SIZE
from dashboard.feeds.parsing.static_data import EXCHANGE, parse_number, shorten
from dashboard.feeds.parsing.timestamps import parse_timestamp

MESSAGE_BYTES = 4 * 1024 * 1024
"""A longer message is refused unread, unless told otherwise: reading takes time from all else."""
NUMBER_BYTES = 400
"""The same of a key that holds a number."""
MAX_POSITIONS = 10_000
"""Positions of one client; whoever looks at them looks at all of them."""


class Cause(StrEnum):
    """Why a message was left out."""

    TOO_LARGE = "too large"
    MALFORMED = "malformed JSON"
    ENVELOPE = "bad envelope"
    TYPE = "unknown type"
    NO_INSTRUMENT = "missing instrument"
    INSTRUMENT = "unknown instrument"
    NO_CLIENT = "missing client"
    CLIENTS = "too many clients"
    TIMESTAMP = "bad timestamp"
    DATA = "bad data"


Amount = Annotated[float, msgspec.Meta(gt=-ABSURD_PRICE, lt=ABSURD_PRICE)]
"""A price or an amount of money; either may be below zero."""
Quantity = Annotated[float, msgspec.Meta(ge=0, lt=ABSURD_SIZE)]
Traded = Annotated[float, msgspec.Meta(gt=0, lt=ABSURD_SIZE)]
Position = Annotated[float, msgspec.Meta(gt=-ABSURD_SIZE, lt=ABSURD_SIZE)]


class Envelope(msgspec.Struct):
    """What is around every message of the channel; `data` are not decoded yet."""

    type: str
    data: msgspec.Raw
    timestamp: str
    instrument: str | None = None
    client: str | None = None


class Data(msgspec.Struct, kw_only=True):
    """What the data of every message about an instrument may hold."""

    instrument: str | None = None
    timestamp: str | None = None


class ExchangeOrder(msgspec.Struct, gc=False):
    """One order in the book; the parser sums those of one price."""

    price: Amount
    leaves_qty: Quantity


class OrderBookData(Data):
    """The data of an `orderbook_update`."""

    bids: list[ExchangeOrder]
    asks: list[ExchangeOrder]


class QuoteData(Data):
    """The data of a `bbo_update`; an empty side has no price or no quantity."""

    best_bid: Amount | None
    best_ask: Amount | None
    best_bid_qty: Quantity | None
    best_ask_qty: Quantity | None


class TradeData(Data):
    """The data of a `trade`."""

    price: Amount
    volume: Traded
    buyer: str | None = None
    seller: str | None = None


class PnlData(msgspec.Struct):
    """The data of a `pnl_update`."""

    pnl: Amount


class StoredData(Data):
    """What a key holds: a message's data, or the message itself, which has a type."""

    type: str | None = None


ENVELOPE = msgspec.json.Decoder(Envelope)
ORDER_BOOK = msgspec.json.Decoder(OrderBookData)
QUOTE = msgspec.json.Decoder(QuoteData)
TRADE = msgspec.json.Decoder(TradeData)
POSITIONS = msgspec.json.Decoder(
    Annotated[dict[str, Position], msgspec.Meta(max_length=MAX_POSITIONS)]
)
PNL = msgspec.json.Decoder(PnlData)
STORED = msgspec.json.Decoder(StoredData)

Decoded = TypeVar("Decoded")


def decode(
    decoder: msgspec.json.Decoder[Decoded], raw: bytes | msgspec.Raw, cause: Cause = Cause.DATA
) -> Decoded:
    """Decode a text.

    Raises:
        ParseError: with `cause` when it has another form, MALFORMED when it is no JSON.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise parse_error(cause, str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise parse_error(Cause.MALFORMED, str(error)) from error


def compact(raw: bytes) -> str:
    """Give a JSON text as it is, or without white space between tokens where it has any.

    Raises:
        ParseError: MALFORMED, when it is no JSON or no UTF-8.
    """
    try:
        if 0x20 in raw or 0x0A in raw or 0x0D in raw or 0x09 in raw:  # numbers: 9 times as fast
            raw = msgspec.json.format(raw, indent=-1)
        return raw.decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise parse_error(Cause.MALFORMED, str(error)) from error


def amount_of(text: bytes) -> float:
    """Read a price that a key holds.

    Raises:
        ParseError: DATA, when it is none, TOO_LARGE, when it is too long for one.
    """
    if len(text) > NUMBER_BYTES:
        raise too_large(text, NUMBER_BYTES)
    try:
        amount = parse_number(text)
    except ValueError as error:
        raise parse_error(Cause.DATA, str(error)) from error
    if not -ABSURD_PRICE < amount < ABSURD_PRICE:
        raise parse_error(Cause.DATA, f"{amount!r} is no price")
    return amount


def too_large(raw: bytes, most: int) -> ParseError:
    """Make the error of what is too long to be read."""
    return parse_error(Cause.TOO_LARGE, f"{len(raw)} bytes, more than {most}")


def time_of(envelope: Envelope, data: Data | None = None) -> int:
    """Give the time in the data, else the envelope's, in ns since the Unix epoch.

    Raises:
        ParseError: TIMESTAMP, when it cannot be read.
    """
    text = (data.timestamp if data else None) or envelope.timestamp
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise parse_error(Cause.TIMESTAMP, shown(text)) from error


def client_of(envelope: Envelope) -> str:
    """Give the client that a message is about.

    Raises:
        ParseError: NO_CLIENT, when it names none.
    """
    if not envelope.client:
        raise parse_error(Cause.NO_CLIENT, f"{envelope.type} names none")
    return envelope.client


def shown(text: str) -> str:
    """Quote a text that came from outside, shortened."""
    return shorten(text.encode())


def parse_error(cause: Cause, problem: str) -> ParseError:
    """Make the error of a message that is left out."""
    return ParseError(venue=EXCHANGE, problem=f"{cause}: {problem}", cause=cause.value)
