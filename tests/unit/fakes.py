"""Events to test with, and a clock that moves only when told to."""

from dashboard.core.model import (
    Book,
    ClosedBar,
    Control,
    Event,
    OpenInterest,
    Price,
    PriceLevel,
    Published,
    Side,
    System,
    Trade,
)

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000


class Clock:
    """Nanoseconds since the Unix epoch, set by hand."""

    def __init__(self, now: int = 1_700_000_000 * SECOND_NS) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, *, seconds: float = 0, ms: float = 0) -> None:
        self.now += round(seconds * SECOND_NS) + round(ms * MS_NS)


def price(
    symbol: str = "BTC/USD",
    value: float = 45_000.5,
    *,
    exchange: str = "CRYPTO",
    volume: float = 100,
    ts: int = 0,
) -> Price:
    return Price(symbol=symbol, exchange=exchange, price=value, volume=volume, ts_event=ts)


def trade(
    symbol: str = "BTC/USD",
    value: float = 45_000.5,
    *,
    size: float = 0.25,
    side: Side = Side.BUY,
    ts: int = 0,
) -> Trade:
    return Trade(
        symbol=symbol, exchange="CRYPTO", price=value, size=size, aggressor_side=side, ts_event=ts
    )


def closed_bar(
    prices: tuple[float, float, float, float],
    volume: float = 1,
    *,
    symbol: str = "BTC/USD",
    interval_ms: int = 60_000,
    anew: bool = False,
    ts: int = 0,
) -> ClosedBar:
    """Make one of open, high, low and close, of long ago, that is over at `ts`."""
    opened, high, low, close = prices
    return ClosedBar(
        symbol=symbol,
        exchange="CRYPTO",
        start_ms=1_640_995_200_000,
        interval_ms=interval_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        anew=anew,
        ts_event=ts,
    )


def book(
    symbol: str = "BTC/USD",
    *,
    bids: tuple[PriceLevel, ...] = ((100.0, 1.0), (99.0, 2.0)),
    asks: tuple[PriceLevel, ...] = ((101.0, 3.0), (102.0, 4.0)),
    ts: int = 0,
) -> Book:
    return Book(symbol=symbol, exchange="CRYPTO", bids=bids, asks=asks, ts_event=ts)


def open_interest(quantity: float, previous: float, *, ts: int = 0) -> OpenInterest:
    return OpenInterest(
        symbol="BTC/USD",
        exchange="CRYPTO",
        quantity=quantity,
        previous_quantity=previous,
        ts_event=ts,
    )


def system(*, cpu_pct: float = 12.5, mem_mb: int = 300, msg_rate: int = 42, ts: int = 0) -> System:
    return System(cpu_pct=cpu_pct, mem_mb=mem_mb, msg_rate=msg_rate, ts_event=ts)


def control(frequency_ms: int = 25, *, ts: int = 0) -> Control:
    return Control(frequency_ms=frequency_ms, ts_event=ts)


def published(event: Event, offset: int = 1, *, seq: int = 1, ts_received: int = 0) -> Published:
    return Published(
        event=event,
        topic=event.topic,
        seq=seq,
        offset=offset,
        ts_received=ts_received,
        monotonic_ns=ts_received,
        frames={},
    )
