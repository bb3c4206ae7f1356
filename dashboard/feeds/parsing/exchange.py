"""The exchange's channel `market_data` and its keys: JSON texts in, events out. Pure.

Source: the specification of the exchange, "Channel `market_data`". A raw example:

    {"type":"bbo_update","data":{"instrument":"AAPL","timestamp":"2026-01-05T09:30:00.125Z",
     "best_bid":189.98,"best_ask":190.02,"best_bid_qty":120,"best_ask_qty":80},
     "timestamp":"2026-01-05T09:30:00.126Z","instrument":"AAPL"}

The keys `orderbook:{instrument}` and `bbo:{instrument}` hold the `data` of the
last such message, `last_trade:{instrument}` and `theo:{underlying}` a number.

`ts_event` is the time in `data`, where there is one, else the envelope's. A
time without an offset is UTC. The book comes as single orders and is summed per
price; a crossed one is passed on as it was published.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from dashboard.core.errors import ParseError
from dashboard.core.model import (
    Book,
    Event,
    Instrument,
    Kind,
    Pnl,
    Positions,
    Price,
    PriceLevel,
    Quote,
    Theo,
    Topic,
    Trade,
)
from dashboard.feeds.parsing.aggressor import AggressorRule
from dashboard.feeds.parsing.static_data import EXCHANGE, parse_number, shorten
from dashboard.feeds.parsing.timestamps import format_timestamp, parse_timestamp

ABSURD = 2.0**53
"""A price or quantity from here on is damage; sums of smaller ones are finite."""
MESSAGE_OF = {Kind.BOOK: "orderbook_update", Kind.QUOTE: "bbo_update"}
"""The type of message whose `data` a key of that kind holds."""


class Cause(StrEnum):
    """Why a message was left out."""

    MALFORMED = "malformed JSON"
    ENVELOPE = "bad envelope"
    TYPE = "unknown type"
    NO_INSTRUMENT = "missing instrument"
    INSTRUMENT = "unknown instrument"
    NO_CLIENT = "missing client"
    TIMESTAMP = "bad timestamp"
    DATA = "bad data"


_Positive = Annotated[float, msgspec.Meta(gt=0, lt=ABSURD)]
_FromZero = Annotated[float, msgspec.Meta(ge=0, lt=ABSURD)]


class _Envelope(msgspec.Struct):
    type: str
    data: msgspec.Raw
    timestamp: str
    instrument: str | None = None
    client: str | None = None


class _Data(msgspec.Struct, kw_only=True):
    instrument: str | None = None
    timestamp: str | None = None


class _Order(msgspec.Struct, gc=False):
    price: _Positive
    leaves_qty: _FromZero


class _OrderBook(_Data):
    bids: list[_Order]
    asks: list[_Order]


class _Quote(_Data):
    best_bid: _FromZero | None
    best_ask: _FromZero | None
    best_bid_qty: _FromZero | None
    best_ask_qty: _FromZero | None


class _Trade(_Data):
    price: _Positive
    volume: _Positive
    buyer: str | None = None
    seller: str | None = None


class _Pnl(msgspec.Struct):
    pnl: float


class _Stored(_Data):
    type: str | None = None


_Decoded = TypeVar("_Decoded")
_Parse = Callable[[_Envelope, str], Sequence[Event]]
"""Make events of an envelope and of its text, compact."""

_envelope_decoder = msgspec.json.Decoder(_Envelope)
_book_decoder = msgspec.json.Decoder(_OrderBook)
_quote_decoder = msgspec.json.Decoder(_Quote)
_trade_decoder = msgspec.json.Decoder(_Trade)
_positions_decoder = msgspec.json.Decoder(dict[str, float])
_pnl_decoder = msgspec.json.Decoder(_Pnl)
_stored_decoder = msgspec.json.Decoder(_Stored)


class ExchangeParser:
    """Parse the messages of one connection; it remembers quotes, to tell who began a trade."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._exchange_of = {each.symbol: each.exchange for each in instruments}
        exchanges = set(self._exchange_of.values())
        self._exchange = exchanges.pop() if len(exchanges) == 1 else EXCHANGE
        self._rules = {symbol: AggressorRule() for symbol in self._exchange_of}
        self._parse: dict[str, _Parse] = {
            "orderbook_update": self._book,
            "bbo_update": self._quote,
            "trade": self._trade,
            "position_update": self._positions,
            "pnl_update": self._pnl,
        }

    def parse_message(self, raw: bytes) -> Sequence[Event]:
        """Read one message of the channel; a trade is followed by the price it makes.

        Raises:
            ParseError: with the `Cause`, when the message is of no use.
        """
        envelope = _decode(_envelope_decoder, raw, Cause.ENVELOPE)
        parse = self._parse.get(envelope.type)
        if parse is None:
            raise _error(Cause.TYPE, _shown(envelope.type))
        return parse(envelope, _compact(raw))

    def parse_stored(self, kind: Kind, symbol: str, text: bytes, now: int) -> Sequence[Event]:
        """Read the book, quote or price that the exchange keeps of an instrument in a key.

        A book or quote gets an envelope around it, if the key does not hold it with
        its own; `now`, in ns, is the time of what carries none.

        Raises:
            ParseError: with the `Cause`, when it is of no use.
        """
        exchange = self._exchange_of[symbol]
        if kind is Kind.PRICE:
            price = _number(text)
            if not 0 < price < ABSURD:
                raise _error(Cause.DATA, f"{price!r} is no price")
            event = Price(symbol=symbol, exchange=exchange, price=price, volume=0.0, ts_event=now)
            return (event,)
        stored = _decode(_stored_decoder, text, Cause.DATA)
        type_ = MESSAGE_OF[kind]
        if stored.type is None:
            timestamp = stored.timestamp or format_timestamp(now)
            rest = msgspec.json.encode({"timestamp": timestamp, "instrument": symbol})[1:]
            text = b'{"type":"%b","data":%b,%b' % (type_.encode(), text, rest)
        events = self.parse_message(text)
        if events[0].topic != Topic(kind, exchange, symbol):
            raise _error(Cause.DATA, f"another message in place of {type_} of {_shown(symbol)}")
        return events

    def _book(self, envelope: _Envelope, text: str) -> Sequence[Event]:
        data = _decode(_book_decoder, envelope.data, Cause.DATA)
        symbol = self._symbol(envelope, data)
        bids = _levels(data.bids, highest_first=True)
        asks = _levels(data.asks, highest_first=False)
        ts_event = _time(envelope, data)
        self._rules[symbol].see_quote(bids[0][0] if bids else None, asks[0][0] if asks else None)
        book = Book(
            symbol=symbol,
            exchange=self._exchange_of[symbol],
            bids=bids,
            asks=asks,
            envelope=text,
            ts_event=ts_event,
        )
        return (book,)

    def _quote(self, envelope: _Envelope, text: str) -> Sequence[Event]:
        data = _decode(_quote_decoder, envelope.data, Cause.DATA)
        symbol = self._symbol(envelope, data)
        bid_price, bid_size = _best(data.best_bid, data.best_bid_qty)
        ask_price, ask_size = _best(data.best_ask, data.best_ask_qty)
        ts_event = _time(envelope, data)
        self._rules[symbol].see_quote(bid_price, ask_price)
        quote = Quote(
            symbol=symbol,
            exchange=self._exchange_of[symbol],
            bid_price=bid_price,
            bid_size=bid_size,
            ask_price=ask_price,
            ask_size=ask_size,
            envelope=text,
            ts_event=ts_event,
        )
        return (quote,)

    def _trade(self, envelope: _Envelope, text: str) -> Sequence[Event]:
        data = _decode(_trade_decoder, envelope.data, Cause.DATA)
        symbol = self._symbol(envelope, data)
        exchange = self._exchange_of[symbol]
        ts_event = _time(envelope, data)
        price, size = data.price, data.volume
        trade = Trade(
            symbol=symbol,
            exchange=exchange,
            price=price,
            size=size,
            aggressor_side=self._rules[symbol].side_of(price),
            buyer=data.buyer,
            seller=data.seller,
            envelope=text,
            ts_event=ts_event,
        )
        made = Price(symbol=symbol, exchange=exchange, price=price, volume=size, ts_event=ts_event)
        return (trade, made)

    def _positions(self, envelope: _Envelope, text: str) -> Sequence[Event]:
        positions = Positions(
            client=_client(envelope),
            exchange=self._exchange,
            positions=_decode(_positions_decoder, envelope.data, Cause.DATA),
            envelope=text,
            ts_event=_time(envelope),
        )
        return (positions,)

    def _pnl(self, envelope: _Envelope, text: str) -> Sequence[Event]:
        pnl = Pnl(
            client=_client(envelope),
            exchange=self._exchange,
            pnl=_decode(_pnl_decoder, envelope.data, Cause.DATA).pnl,
            envelope=text,
            ts_event=_time(envelope),
        )
        return (pnl,)

    def _symbol(self, envelope: _Envelope, data: _Data) -> str:
        symbol = envelope.instrument or data.instrument
        if not symbol:
            raise _error(Cause.NO_INSTRUMENT, "neither the envelope nor its data name one")
        if symbol not in self._exchange_of:
            raise _error(Cause.INSTRUMENT, _shown(symbol))
        if data.instrument and data.instrument != symbol:
            raise _error(Cause.DATA, f"data of {_shown(data.instrument)} for {_shown(symbol)}")
        return symbol


def parse_theo(exchange: str, underlying: str, text: bytes, now: int) -> Sequence[Event]:
    """Read the theoretical price that the exchange keeps of an underlying; `now` in ns.

    Raises:
        ParseError: with the `Cause`, when it is no number.
    """
    return (Theo(underlying=underlying, exchange=exchange, price=_number(text), ts_event=now),)


def _decode(
    decoder: msgspec.json.Decoder[_Decoded], raw: bytes | msgspec.Raw, cause: Cause
) -> _Decoded:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _error(cause, str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _error(Cause.MALFORMED, str(error)) from error


def _compact(raw: bytes) -> str:
    try:
        if b" " in raw or b"\n" in raw or b"\r" in raw or b"\t" in raw:
            raw = msgspec.json.format(raw, indent=-1)
        return raw.decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _error(Cause.MALFORMED, str(error)) from error


def _levels(orders: Iterable[_Order], *, highest_first: bool) -> Sequence[PriceLevel]:
    sizes: dict[float, float] = {}
    for order in orders:
        if order.leaves_qty:
            sizes[order.price] = sizes.get(order.price, 0.0) + order.leaves_qty
    return tuple(sorted(sizes.items(), reverse=highest_first))


def _best(price: float | None, size: float | None) -> tuple[float | None, float]:
    """Give one side of a quote; one without a price or a size is empty."""
    return (price, size) if price and size else (None, 0.0)


def _number(text: bytes) -> float:
    try:
        return parse_number(text)
    except ValueError as error:
        raise _error(Cause.DATA, str(error)) from error


def _time(envelope: _Envelope, data: _Data | None = None) -> int:
    text = (data.timestamp if data else None) or envelope.timestamp
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise _error(Cause.TIMESTAMP, _shown(text)) from error


def _client(envelope: _Envelope) -> str:
    if not envelope.client:
        raise _error(Cause.NO_CLIENT, f"{envelope.type} names none")
    return envelope.client


def _shown(text: str) -> str:
    return shorten(text.encode())


def _error(cause: Cause, problem: str) -> ParseError:
    return ParseError(venue=EXCHANGE, problem=f"{cause}: {problem}", cause=cause.value)
