"""What is traded at the demonstration exchange, and its static data."""

import json

import msgspec


class Underlying(msgspec.Struct, frozen=True, kw_only=True):
    """What instruments are derived from, with the limit of a client's positions in all of them."""

    name: str
    start: float
    volatility: float
    """Standard deviation of the relative change over one second."""
    delta_limit: int


class TradedListing(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument.

    Its fair price is `basis` times the theoretical price of its underlying.
    Quotes lie `step` ticks apart, and orders come in multiples of `lot`.
    """

    name: str
    underlying: Underlying
    tick_size: float
    step: int
    lot: int
    absolute_limit: int
    basis: float = 1.0


AAPL = Underlying(name="AAPL_STOCK", start=232.4, volatility=0.00010, delta_limit=1200)
GOOGL = Underlying(name="GOOGL_STOCK", start=168.25, volatility=0.00012, delta_limit=800)
MSFT = Underlying(name="MSFT_STOCK", start=417.8, volatility=0.00008, delta_limit=800)
BTC = Underlying(name="BTC", start=91_250.0, volatility=0.00012, delta_limit=50)
DOGE = Underlying(name="DOGE", start=0.3825, volatility=0.00030, delta_limit=400_000)
UNDERLYINGS = (AAPL, GOOGL, MSFT, BTC, DOGE)

LISTINGS = (
    TradedListing(
        name="AAPL", underlying=AAPL, tick_size=0.01, step=1, lot=10, absolute_limit=1000
    ),
    TradedListing(
        name="AAPL_DEC",
        underlying=AAPL,
        tick_size=0.05,
        step=1,
        lot=10,
        absolute_limit=800,
        basis=1.0042,
    ),
    TradedListing(
        name="GOOGL", underlying=GOOGL, tick_size=0.01, step=1, lot=10, absolute_limit=1000
    ),
    TradedListing(
        name="MSFT", underlying=MSFT, tick_size=0.01, step=2, lot=10, absolute_limit=1000
    ),
    TradedListing(name="BTC/USD", underlying=BTC, tick_size=0.5, step=8, lot=1, absolute_limit=60),
    TradedListing(
        name="DOGE/USD",
        underlying=DOGE,
        tick_size=0.0001,
        step=1,
        lot=5000,
        absolute_limit=500_000,
    ),
)


def static_data() -> dict[str, str]:
    """Give the Redis keys `static_data:…` with their texts."""
    instruments = [
        {"name": each.name, "underlying": each.underlying.name, "tick_size": each.tick_size}
        for each in LISTINGS
    ]
    underlyings = [{"name": each.name, "delta_limit": each.delta_limit} for each in UNDERLYINGS]
    return {
        "static_data:instruments": json.dumps(instruments),
        "static_data:underlyings": json.dumps(underlyings),
        **{
            f"static_data:{each.name}_absolute_limit": str(each.absolute_limit) for each in LISTINGS
        },
        **{f"static_data:{each.name}_limit": str(each.delta_limit) for each in UNDERLYINGS},
    }
