"""Server-Sent Events: the exchange's envelopes as `/sse` sends them.

An event goes out as `id: epoch:n`, a line `data:` with its envelope, and an empty
line. An event without an envelope of its own gets one in the exchange's form:

    {"type":"bbo_update","data":{"instrument":"BTC/USD",
     "timestamp":"2026-11-20T12:00:00.000001Z","best_bid":45000.1,"best_ask":45000.6,
     "best_bid_qty":0.5,"best_ask_qty":2},"timestamp":"2026-11-20T12:00:00.000001Z",
     "instrument":"BTC/USD"}

What such a feed does not know is filled in so that readers of the exchange's
messages go on working: an order per price level with `client_name` empty and
`request_id` 0, a trade's unknown `buyer` and `seller` empty and their order ids
0. Quantities are whole numbers where they are whole, and fractions where the
market trades fractions. An empty side of a quote has price null and quantity 0.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from dashboard.core.model import (
    Book,
    Ended,
    Event,
    Kind,
    Pnl,
    Positions,
    PriceLevel,
    Published,
    Quote,
    Trade,
)

DIALECT = "sse"
HEARTBEAT = ": heartbeat\n\n"
"""A comment: no reader sees an event in it, and no proxy a silent connection."""

INSTRUMENT_KINDS = frozenset({Kind.BOOK, Kind.QUOTE, Kind.TRADE})
ACCOUNT_KINDS = frozenset({Kind.POSITIONS, Kind.PNL})

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Order(msgspec.Struct):
    client_name: str
    instrument: str
    leaves_qty: float
    price: float
    request_id: int
    side: Literal["Buy", "Sell"]
    timestamp: datetime


class _BookData(msgspec.Struct):
    message_type: str
    instrument: str
    timestamp: datetime
    asks: list[_Order]
    bids: list[_Order]


class _QuoteData(msgspec.Struct):
    instrument: str
    timestamp: datetime
    best_bid: float | None
    best_ask: float | None
    best_bid_qty: float
    best_ask_qty: float


class _TradeData(msgspec.Struct):
    buyer: str
    buyer_order_id: int
    instrument: str
    price: float
    seller: str
    seller_order_id: int
    timestamp: datetime
    volume: float


class _PnlData(msgspec.Struct):
    pnl: float


class _Envelope(msgspec.Struct, omit_defaults=True):
    type: str
    data: _BookData | _QuoteData | _TradeData | _PnlData | Mapping[str, float]
    timestamp: datetime
    instrument: str | None = None
    client: str | None = None


_json = msgspec.json.Encoder()


def carries(event: Event) -> bool:
    """Tell whether an event goes to clients.

    A historical trade has no mark here, and the end of a topic no frame.
    """
    return not (isinstance(event, Ended) or (isinstance(event, Trade) and event.historical))


def encoder(epoch: str) -> Callable[[Published], str]:
    """Make the encoder of published events for one run of the process."""

    def encode(published: Published) -> str:
        """Write an event as one frame.

        Raises:
            TypeError: for an event that this protocol does not carry.
        """
        envelope = _envelope_of(published.event)
        return f"id: {epoch}:{published.offset}\ndata: {envelope}\n\n"

    return encode


def encode_reset(reason: str) -> str:
    """Tell a client that its id cannot be resumed from and that a snapshot follows."""
    return f"event: reset\ndata: {_text({'reason': reason})}\n\n"


def encode_warn(lagged: int) -> str:
    """Tell a client how many events it did not get because it was too slow.

    It has no id, so a reader that reconnects still names the last event it saw.
    """
    return f"event: warn\ndata: {_text({'lagged': lagged})}\n\n"


def _envelope_of(event: Event) -> str:
    match event:
        case Book() | Quote() | Trade() | Positions() | Pnl():
            return event.envelope or _json.encode(_made_up(event)).decode()
        case _:
            raise TypeError(f"/sse does not carry {type(event).__name__}")


def _made_up(event: Book | Quote | Trade | Positions | Pnl) -> _Envelope:
    at = EPOCH + timedelta(microseconds=event.ts_event // 1000)
    match event:
        case Book(symbol=symbol):
            asks = _orders(event.asks, symbol, "Sell", at)
            bids = _orders(event.bids, symbol, "Buy", at)
            book = _BookData("OrderbookUpdate", symbol, at, asks, bids)
            return _Envelope("orderbook_update", book, at, instrument=symbol)
        case Quote(symbol=symbol):
            sizes = _quantity(event.bid_size), _quantity(event.ask_size)
            quote = _QuoteData(symbol, at, event.bid_price, event.ask_price, *sizes)
            return _Envelope("bbo_update", quote, at, instrument=symbol)
        case Trade(symbol=symbol):
            buyer, seller, size = event.buyer or "", event.seller or "", _quantity(event.size)
            trade = _TradeData(buyer, 0, symbol, event.price, seller, 0, at, size)
            return _Envelope("trade", trade, at, instrument=symbol)
        case Positions():
            positions = {name: _quantity(each) for name, each in event.positions.items()}
            return _Envelope("position_update", positions, at, client=event.client)
        case Pnl():
            return _Envelope("pnl_update", _PnlData(event.pnl), at, client=event.client)


def _orders(
    levels: Sequence[PriceLevel], symbol: str, side: Literal["Buy", "Sell"], at: datetime
) -> list[_Order]:
    return [_Order("", symbol, _quantity(size), price, 0, side, at) for price, size in levels]


def _quantity(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _text(data: dict[str, Any]) -> str:
    return _json.encode(data).decode()
