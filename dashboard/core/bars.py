"""Bars (OHLCV) of one instrument, built from its trades: pure, bounded."""

from bisect import bisect_left

import msgspec


class Bar(msgspec.Struct, frozen=True, gc=False):
    """What was traded in one interval. `start` is its first nanosecond since the Unix epoch, UTC.

    `volume` is the sum of the sizes.
    """

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarSeries:
    """The newest bars of one interval, at most `limit` of them, oldest first.

    Intervals begin at multiples of `interval_s` since the Unix epoch. An interval
    without a trade has no bar. A trade that comes late, out of order, counts in
    the high, low and volume of its bar and leaves open and close as they are; one
    older than every bar of a full series is left out.
    """

    def __init__(self, *, interval_s: int, limit: int) -> None:
        self._interval_ns = interval_s * 1_000_000_000
        self._limit = limit
        self._bars: list[Bar] = []

    def apply_trade(self, ts_event: int, price: float, size: float) -> None:
        """Count one trade."""
        bars = self._bars
        start = ts_event - ts_event % self._interval_ns
        newest = bars[-1].start if bars else start - 1
        if start > newest:
            bars.append(Bar(start, price, price, price, price, size))
        elif start == newest:
            bars[-1] = _grown(bars[-1], price, size, close=price)
        else:
            self._apply_late(start, price, size)
        if len(bars) > self._limit:
            del bars[0]

    def newest(self, count: int) -> list[Bar]:
        """Give the newest `count` bars, oldest first; the last one may still be growing."""
        return self._bars[-count:] if count > 0 else []

    def _apply_late(self, start: int, price: float, size: float) -> None:
        at = bisect_left(self._bars, start, key=lambda bar: bar.start)
        if self._bars[at].start == start:
            self._bars[at] = _grown(self._bars[at], price, size, close=self._bars[at].close)
        else:
            self._bars.insert(at, Bar(start, price, price, price, price, size))


def _grown(bar: Bar, price: float, size: float, *, close: float) -> Bar:
    return Bar(
        bar.start,
        bar.open,
        max(bar.high, price),
        min(bar.low, price),
        close,
        bar.volume + size,
    )
