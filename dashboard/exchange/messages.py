"""What the exchange publishes, in the form of its protocol: compact JSON.

A message of the channel `market_data` is an envelope around the data that the
instrument's key also holds:

    {"type":"bbo_update","data":{"instrument":"AAPL",…},"timestamp":"…Z","instrument":"AAPL"}
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from dashboard.exchange.matching import Fill, LimitOrderBook, OrderSide

CHANNEL = "market_data"
_encode = msgspec.json.Encoder().encode


def format_timestamp(now_ns: int) -> str:
    """Give a time as ISO 8601, UTC, in microseconds."""
    seconds, rest = divmod(now_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000, tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def encode_book(book: LimitOrderBook, timestamp: str) -> bytes:
    """Write the whole book, the next order to trade first on each side."""
    return _encode(
        {
            "message_type": "OrderbookUpdate",
            "instrument": book.instrument,
            "timestamp": timestamp,
            "asks": book.orders(OrderSide.SELL),
            "bids": book.orders(OrderSide.BUY),
        }
    )


def encode_quote(book: LimitOrderBook, timestamp: str) -> bytes:
    """Write the best bid and offer; an empty side has a null price and quantity 0."""
    bid, ask = book.best(OrderSide.BUY), book.best(OrderSide.SELL)
    return _encode(
        {
            "instrument": book.instrument,
            "timestamp": timestamp,
            "best_bid": None if bid is None else book.price(bid),
            "best_ask": None if ask is None else book.price(ask),
            "best_bid_qty": book.best_volume(OrderSide.BUY),
            "best_ask_qty": book.best_volume(OrderSide.SELL),
        }
    )


def encode_trade(book: LimitOrderBook, fill: Fill, timestamp: str) -> bytes:
    """Write one execution."""
    return _encode(
        {
            "buyer": fill.buyer,
            "buyer_order_id": fill.buyer_order_id,
            "instrument": book.instrument,
            "price": book.price(fill.ticks),
            "seller": fill.seller,
            "seller_order_id": fill.seller_order_id,
            "timestamp": timestamp,
            "volume": fill.volume,
        }
    )


def market_message(kind: str, data: bytes, timestamp: str, instrument: str) -> bytes:
    """Give the message about an instrument around its data."""
    return _encode(
        {
            "type": kind,
            "data": msgspec.Raw(data),
            "timestamp": timestamp,
            "instrument": instrument,
        }
    )


def account_message(kind: str, data: Mapping[str, float], timestamp: str, client: str) -> bytes:
    """Give the message about a client."""
    return _encode({"type": kind, "data": data, "timestamp": timestamp, "client": client})
