"""What an exchange publishes on Redis, made by hand."""

import json

import redis.asyncio

CHANNEL = "market_data"
AT = "2026-11-20T12:00:00.000001Z"


def trade(number: int, *, instrument: str = "AAPL", price: float = 175.25) -> str:
    """Make a trade, numbered so that it can be known again."""
    return _text(
        "trade",
        instrument,
        {
            "buyer": "ann",
            "buyer_order_id": number,
            "instrument": instrument,
            "price": price,
            "seller": "bob",
            "seller_order_id": 7,
            "timestamp": AT,
            "volume": 5,
        },
    )


def quote(*, instrument: str = "AAPL", bid: float | None = 175.0, ask: float | None = 175.5) -> str:
    """Make a best bid and offer."""
    return _text(
        "bbo_update",
        instrument,
        {
            "instrument": instrument,
            "timestamp": AT,
            "best_bid": bid,
            "best_ask": ask,
            "best_bid_qty": 0 if bid is None else 10,
            "best_ask_qty": 0 if ask is None else 4,
        },
    )


def book(*, instrument: str = "AAPL", orders: int = 2) -> str:
    """Make an order book with so many orders on each side."""
    return _text(
        "orderbook_update",
        instrument,
        {
            "message_type": "OrderbookUpdate",
            "instrument": instrument,
            "timestamp": AT,
            "asks": [_order(instrument, "Sell", 176.0 + at) for at in range(orders)],
            "bids": [_order(instrument, "Buy", 175.0 - at / 10) for at in range(orders)],
        },
    )


def positions(client: str, **held: int) -> str:
    """Make the positions of a client."""
    return _compact({"type": "position_update", "data": held, "timestamp": AT, "client": client})


def pnl(client: str, value: float) -> str:
    """Make the PnL of a client."""
    return _compact(
        {"type": "pnl_update", "data": {"pnl": value}, "timestamp": AT, "client": client}
    )


class Exchange:
    """The publishing side of a Redis."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(url)

    async def publish(self, *envelopes: str) -> None:
        """Publish all in one go."""
        pipeline = self._redis.pipeline(transaction=False)
        for each in envelopes:
            pipeline.publish(CHANNEL, each)
        await pipeline.execute()

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


def _order(instrument: str, side: str, price: float) -> dict[str, object]:
    return {
        "client_name": "ann",
        "instrument": instrument,
        "leaves_qty": 3,
        "price": round(price, 2),
        "request_id": 1,
        "side": side,
        "timestamp": AT,
    }


def _text(type_: str, instrument: str, data: dict[str, object]) -> str:
    return _compact({"type": type_, "data": data, "timestamp": AT, "instrument": instrument})


def _compact(envelope: dict[str, object]) -> str:
    return json.dumps(envelope, separators=(",", ":"))
