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

import msgspec

from dashboard.core.instruments import Instrument
from dashboard.core.model import (
    Book,
    Event,
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
from dashboard.feeds.parsing.exchange_messages import (
    ENVELOPE,
    MESSAGE_BYTES,
    ORDER_BOOK,
    PNL,
    POSITIONS,
    QUOTE,
    STORED,
    TRADE,
    Cause,
    Data,
    Envelope,
    ExchangeOrder,
    amount_of,
    client_of,
    compact,
    decode,
    parse_error,
    shown,
    time_of,
    too_large,
)
from dashboard.feeds.parsing.static_data import EXCHANGE
from dashboard.feeds.parsing.timestamps import format_timestamp

MESSAGE_OF = {Kind.BOOK: "orderbook_update", Kind.QUOTE: "bbo_update"}
"""The type of message whose `data` a key of that kind holds."""
BOOK_LEVELS = 1000
"""Levels a side in a published book, the best ones; its envelope has all orders."""
_Parse = Callable[[Envelope, str], Sequence[Event]]
"""Make events of an envelope and of its text, compact."""


class ExchangeParser:
    """Parse the messages of one connection; it remembers quotes, to tell who began a trade.

    Messages and keys of more than `max_bytes` are refused before they are decoded.
    """

    def __init__(
        self, instruments: Iterable[Instrument], *, max_bytes: int = MESSAGE_BYTES
    ) -> None:
        self._max_bytes = max_bytes
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
        """Read one message of the channel.

        Raises:
            ParseError: with the `Cause`, when the message is of no use.
        """
        if len(raw) > self._max_bytes:
            raise too_large(raw, self._max_bytes)
        return self._parse_envelope(raw)

    def _parse_envelope(self, raw: bytes) -> Sequence[Event]:
        envelope = decode(ENVELOPE, raw, Cause.ENVELOPE)
        parse = self._parse.get(envelope.type)
        if parse is None:
            raise parse_error(Cause.TYPE, shown(envelope.type))
        return parse(envelope, compact(raw))

    def parse_stored(self, kind: Kind, symbol: str, text: bytes, now: int) -> Sequence[Event]:
        """Read the book, quote or price that the exchange keeps of an instrument in a key.

        A book or quote gets an envelope around it, if the key does not hold it with
        its own; `now`, in ns, is the time of what carries none.

        Raises:
            ParseError: with the `Cause`, when it is of no use.
        """
        exchange = self._exchange_of[symbol]
        if kind is Kind.PRICE:
            price = amount_of(text)
            event = Price(symbol=symbol, exchange=exchange, price=price, volume=0.0, ts_event=now)
            return (event,)
        if len(text) > self._max_bytes:
            raise too_large(text, self._max_bytes)
        stored = decode(STORED, text)
        type_ = MESSAGE_OF[kind]
        if stored.type is None:
            timestamp = stored.timestamp or format_timestamp(now)
            rest = msgspec.json.encode({"timestamp": timestamp, "instrument": symbol})[1:]
            text = b'{"type":"%b","data":%b,%b' % (type_.encode(), text, rest)
        events = self._parse_envelope(text)
        if events[0].topic != Topic(kind, exchange, symbol):
            raise parse_error(Cause.DATA, f"another message in place of {type_} of {shown(symbol)}")
        return events

    def _book(self, envelope: Envelope, text: str) -> Sequence[Event]:
        data = decode(ORDER_BOOK, envelope.data)
        symbol = self._symbol(envelope, data)
        bids = _levels(data.bids, highest_first=True)
        asks = _levels(data.asks, highest_first=False)
        ts_event = time_of(envelope, data)
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

    def _quote(self, envelope: Envelope, text: str) -> Sequence[Event]:
        data = decode(QUOTE, envelope.data)
        symbol = self._symbol(envelope, data)
        bid_price, bid_size = _best(data.best_bid, data.best_bid_qty)
        ask_price, ask_size = _best(data.best_ask, data.best_ask_qty)
        ts_event = time_of(envelope, data)
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

    def _trade(self, envelope: Envelope, text: str) -> Sequence[Event]:
        data = decode(TRADE, envelope.data)
        symbol = self._symbol(envelope, data)
        ts_event = time_of(envelope, data)
        trade = Trade(
            symbol=symbol,
            exchange=self._exchange_of[symbol],
            price=data.price,
            size=data.volume,
            aggressor_side=self._rules[symbol].side_of(data.price),
            buyer=data.buyer,
            seller=data.seller,
            envelope=text,
            ts_event=ts_event,
        )
        return (trade,)

    def _positions(self, envelope: Envelope, text: str) -> Sequence[Event]:
        positions = Positions(
            client=client_of(envelope),
            exchange=self._exchange,
            positions=decode(POSITIONS, envelope.data),
            envelope=text,
            ts_event=time_of(envelope),
        )
        return (positions,)

    def _pnl(self, envelope: Envelope, text: str) -> Sequence[Event]:
        pnl = Pnl(
            client=client_of(envelope),
            exchange=self._exchange,
            pnl=decode(PNL, envelope.data).pnl,
            envelope=text,
            ts_event=time_of(envelope),
        )
        return (pnl,)

    def _symbol(self, envelope: Envelope, data: Data) -> str:
        symbol = envelope.instrument or data.instrument
        if not symbol:
            raise parse_error(Cause.NO_INSTRUMENT, "neither the envelope nor its data name one")
        if symbol not in self._exchange_of:
            raise parse_error(Cause.INSTRUMENT, shown(symbol))
        if data.instrument and data.instrument != symbol:
            raise parse_error(Cause.DATA, f"data of {shown(data.instrument)} for {shown(symbol)}")
        return symbol


def parse_theo(exchange: str, underlying: str, text: bytes, now: int) -> Sequence[Event]:
    """Read the theoretical price that the exchange keeps of an underlying; `now` in ns.

    Raises:
        ParseError: with the `Cause`, when it is no number.
    """
    return (Theo(underlying=underlying, exchange=exchange, price=amount_of(text), ts_event=now),)


def _levels(orders: Iterable[ExchangeOrder], *, highest_first: bool) -> tuple[PriceLevel, ...]:
    sizes: dict[float, float] = {}
    for order in orders:
        if order.leaves_qty:
            sizes[order.price] = sizes.get(order.price, 0.0) + order.leaves_qty
    return tuple(sorted(sizes.items(), reverse=highest_first)[:BOOK_LEVELS])


def _best(price: float | None, size: float | None) -> tuple[float | None, float]:
    """Give one side of a quote; one without a price or a size is empty."""
    return (price, size) if price is not None and size else (None, 0.0)
