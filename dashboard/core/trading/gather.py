"""Bars of one length, made of the ticks of a runner, or of shorter bars."""

from collections.abc import Sequence

import msgspec

from dashboard.core.trading.model import MarketData

WAIT_MS = 200
"""How long after its end a bar is waited with for ticks that are on their way."""


class _Growing(msgspec.Struct, kw_only=True, gc=False):
    """A bar that is not complete; the times beside it are of what opened, closed and quoted it."""

    symbol: str
    start: int
    end: int
    opened: int
    closed: int
    quoted: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float
    ask: float

    def grow(self, part: MarketData) -> None:
        """Take in one more part; they may come in any order."""
        timestamp = part.timestamp
        if timestamp >= self.closed:
            self.closed = timestamp
            self.close = part.close
        elif timestamp < self.opened:
            self.opened = timestamp
            self.open = part.open
        if timestamp >= self.quoted:
            self.quoted = timestamp
            self.bid = part.bid
            self.ask = part.ask
        if part.high > self.high:
            self.high = part.high
        if part.low < self.low:
            self.low = part.low
        self.volume += part.volume

    def complete(self) -> MarketData:
        """Give the bar as it is."""
        return MarketData(
            symbol=self.symbol,
            timestamp=self.start,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            bid=self.bid,
            ask=self.ask,
        )


class Gatherer:
    """The bars of one runner.

    They begin at multiples of their length since the Unix epoch, UTC, and an interval in which
    nothing came has none. A bar is complete with the first part of a later one, or once it is
    `due`. Of shorter bars, of `part_ms`, it is complete with the last one too, and waits for
    that however long it takes. What comes later for it is left out, and counted as `late`.
    All times are the source's, in ms.
    """

    def __init__(self, length_ms: int, *, part_ms: int = 0) -> None:
        self.late = 0
        self._length_ms = length_ms
        self._part_ms = part_ms
        self._bar: _Growing | None = None
        self._over = 0  # nothing before it is taken in any more

    @property
    def due_ms(self) -> int | None:
        """Give when the bar that there is will be due; None where none will."""
        if self._bar is None or self._part_ms:
            return None
        return self._bar.end + WAIT_MS

    def add(self, part: MarketData) -> Sequence[MarketData]:
        """Take in a tick or a shorter bar, and give the bars that are complete with it."""
        timestamp = part.timestamp
        if timestamp < self._over:
            self.late += 1
            return ()
        if self._part_ms == self._length_ms:
            self._over = timestamp + self._part_ms
            return (part,)
        done: tuple[MarketData, ...] = ()
        bar = self._bar
        if bar is not None and timestamp < bar.end:
            bar.grow(part)
        else:
            if bar is not None:
                done = (bar.complete(),)
            start = timestamp - timestamp % self._length_ms
            bar = self._bar = _begin(part, start, start + self._length_ms)
            self._over = start
        if self._part_ms and timestamp + self._part_ms >= bar.end:
            done += self._end(bar)
        return done

    def quote(self, timestamp: int, *, bid: float, ask: float) -> None:
        """Take in a quote: a bar has the last one before its end."""
        bar = self._bar
        if bar is not None and bar.quoted <= timestamp < bar.end:
            bar.quoted = timestamp
            bar.bid = bid
            bar.ask = ask

    def due(self, now_ms: int) -> Sequence[MarketData]:
        """Give the bar that is complete at this time, though nothing came after it."""
        bar, due_ms = self._bar, self.due_ms
        if bar is None or due_ms is None or now_ms < due_ms:
            return ()
        return self._end(bar)

    def restart(self) -> Sequence[MarketData]:
        """Give the bar that there is as it is: the source's time has jumped, be it back."""
        bar = self._bar
        done = () if bar is None else self._end(bar)
        self._over = 0
        return done

    def _end(self, bar: _Growing) -> tuple[MarketData]:
        self._bar = None
        self._over = bar.end
        return (bar.complete(),)


def _begin(part: MarketData, start: int, end: int) -> _Growing:
    return _Growing(
        symbol=part.symbol,
        start=start,
        end=end,
        opened=part.timestamp,
        closed=part.timestamp,
        quoted=part.timestamp,
        open=part.open,
        high=part.high,
        low=part.low,
        close=part.close,
        volume=part.volume,
        bid=part.bid,
        ask=part.ask,
    )
