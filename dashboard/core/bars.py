"""Bars (OHLCV) of one instrument, built from its trades, or from whole ones: pure, bounded."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from copy import copy
from enum import StrEnum
from operator import attrgetter

import msgspec

from dashboard.core.clocks import LATEST_NS, MAX_AHEAD_NS
from dashboard.core.model import ClosedBar

NS_PER_MS = 1_000_000


class Interval(StrEnum):
    """The lengths of bars."""

    S1 = "1s"
    M1 = "1m"
    M5 = "5m"


KEPT = {Interval.S1: (1, 600), Interval.M1: (60, 1440), Interval.M5: (300, 2016)}
"""Seconds, and how many bars are kept: ten minutes, a day, a week of steady trading."""
MAX_BARS = max(limit for _, limit in KEPT.values())


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


class GrowingBar(msgspec.Struct, gc=False):
    """A bar, the times of the trades that opened and closed it, and its last change's number."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    opened_ns: int
    closed_ns: int
    version: int

    def grow(self, ts_event: int, price: float, size: float) -> None:
        """Count one more trade."""
        if ts_event >= self.closed_ns:
            self.close = price
            self.closed_ns = ts_event
        elif ts_event < self.opened_ns:
            self.open = price
            self.opened_ns = ts_event
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += size

    def bar(self) -> Bar:
        """Give the bar as it is now."""
        return Bar(self.start, self.open, self.high, self.low, self.close, self.volume)


_start = attrgetter("start")


class BarsKept(msgspec.Struct, frozen=True):
    """The bars of one instrument by interval, each as of the hub's event of number `offset`."""

    offset: int
    bars: Mapping[Interval, Sequence[GrowingBar]]


class BarSeries:
    """The bars of one interval, at most `limit` of them, in the order of their time.

    Intervals begin at multiples of `interval_s` since the Unix epoch. An interval
    without a trade has no bar. Trades may come in any order: a bar opens with the
    earliest of its trades and closes with the latest, of several at one time with
    the one that came first and last. One that begins `anew` ends the bar that there is of
    its interval, and another stands in its place. Of too many bars the oldest is left out.
    A whole bar of a source counts like a trade, at the time at which it was over.

    When the wall clock has been set back, bars that were made before lie ahead of
    it. They are kept, for the clock may be set forward again, but they are not
    among the newest, and of too many bars they go first.

    `changes` rises with each trade and each whole bar that counts.
    """

    def __init__(self, *, interval_s: int, limit: int) -> None:
        self._interval_ns = interval_s * 1_000_000_000
        self._limit = limit
        self.changes = 0
        self._bars: list[GrowingBar] = []
        self._horizon_ns = LATEST_NS

    def copied(self) -> list[GrowingBar]:
        """Copy the bars as they are, oldest first, for another series to begin with."""
        return [copy(each) for each in self._bars]

    def begin_with(self, bars: Sequence[GrowingBar]) -> None:
        """Take over the bars of another series of this interval, in place of what there is."""
        self.changes += 1
        self._bars = list(bars)
        for each in self._bars:
            each.version = self.changes

    def apply_trade(
        self,
        ts_event: int,
        price: float,
        size: float,
        *,
        anew: bool = False,
        received_ns: int = LATEST_NS,
    ) -> None:
        """Count one trade; `received_ns` is when it came, by the wall clock."""
        self.changes += 1
        bars = self._bars
        self._see_up_to(received_ns + MAX_AHEAD_NS)
        start = ts_event - ts_event % self._interval_ns
        at = len(bars)
        if bars and start <= bars[-1].start:
            at = at - 1 if start == bars[-1].start else bisect_left(bars, start, key=_start)
            if bars[at].start == start:
                if not anew:
                    bars[at].grow(ts_event, price, size)
                    bars[at].version = self.changes
                    return
                del bars[at]
        made = GrowingBar(start, price, price, price, price, size, ts_event, ts_event, self.changes)
        bars.insert(at, made)
        if len(bars) > self._limit:
            end = self._end()
            del bars[end if end < len(bars) else 0]

    def apply_bar(self, bar: ClosedBar, *, received_ns: int = LATEST_NS) -> None:
        """Count a whole bar, unless bars of its length do not fill this interval evenly.

        Its prices count as trades of one time, the close as the last one, with all its volume.
        """
        if self._interval_ns % (bar.interval_ms * NS_PER_MS):
            return
        ts_event = bar.ts_event
        self.apply_trade(ts_event, bar.open, 0.0, anew=bar.anew, received_ns=received_ns)
        self.apply_trade(ts_event, bar.high, 0.0, received_ns=received_ns)
        self.apply_trade(ts_event, bar.low, 0.0, received_ns=received_ns)
        self.apply_trade(ts_event, bar.close, bar.volume, received_ns=received_ns)

    def newest(self, count: int) -> list[Bar]:
        """Give the newest `count` bars, oldest first; the last one may still be growing."""
        end = self._end()
        return [each.bar() for each in self._bars[max(0, end - count) : end]]

    def kept(self) -> list[Bar]:
        """Give all bars, oldest first."""
        return [each.bar() for each in self._bars]

    def changed(self, since: int) -> list[Bar]:
        """Give the bars up to now that are new or have changed since `changes` was that."""
        return [each.bar() for each in self._bars[: self._end()] if each.version > since]

    def _see_up_to(self, horizon_ns: int) -> None:
        """Move the horizon; bars that come into sight again count as changed."""
        bars, before_ns = self._bars, self._horizon_ns
        self._horizon_ns = horizon_ns
        if bars and bars[-1].start > before_ns:
            for each in bars[bisect_right(bars, before_ns, key=_start) : self._end()]:
                each.version = self.changes

    def _end(self) -> int:
        """Give the index behind the last bar that is not ahead of the clock."""
        bars = self._bars
        if not bars or bars[-1].start <= self._horizon_ns:
            return len(bars)
        return bisect_right(bars, self._horizon_ns, key=_start)
