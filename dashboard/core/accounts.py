"""What is remembered of one client: its PnL over half an hour, and its latest positions."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable

from dashboard.core.model import Pnl, Positions, Published

SECOND_NS = 1_000_000_000
REMEMBERED_NS = 30 * 60 * SECOND_NS
TRIM_NS = 60 * SECOND_NS
"""Samples are forgotten by the minute, as each time moves all others in memory."""


class PnlSeries:
    """A client's PnL, one sample a second at most: the last one of each second.

    `moments` are when the samples came, in ns of the monotonic clock, rising: they
    order the samples. `times` are what the wall clock showed then, in ns since the
    Unix epoch; they go back where that was set back. `values` belong to both. All
    three are read by others and changed by `add` alone.
    """

    def __init__(self) -> None:
        self.moments = array("q")
        self.times = array("q")
        self.values = array("d")

    def add(self, ts: int, value: float, *, monotonic_ns: int | None = None) -> None:
        """Take a sample, newer than the last; forget what is older than 31 minutes.

        Without `monotonic_ns`, `ts` must be of a clock that is never set.
        """
        moment = ts if monotonic_ns is None else monotonic_ns
        if self.moments and moment // SECOND_NS <= self.moments[-1] // SECOND_NS:
            self.values[-1] = value
            return
        self.moments.append(moment)
        self.times.append(ts)
        self.values.append(value)
        horizon = moment - REMEMBERED_NS
        if self.moments[0] < horizon - TRIM_NS:
            forgotten = bisect_right(self.moments, horizon)
            del self.moments[:forgotten], self.times[:forgotten], self.values[:forgotten]

    def at(self, moments: Iterable[int]) -> list[float | None]:
        """Give the values that held at these moments; None before the first sample."""
        known, values = self.moments, self.values
        return [
            values[at - 1] if (at := bisect_right(known, moment)) else None for moment in moments
        ]


class Account:
    """What is remembered of one client.

    `updated_ns` is when the hub heard of it last, by the monotonic clock;
    `positions_ns` when the positions came, by the wall clock, in ns UTC.
    """

    def __init__(self, *, exchange: str, client: str) -> None:
        self.exchange = exchange
        self.client = client
        self.series = PnlSeries()
        self.updates = 0
        self.updated_ns = 0
        self.pnl: Pnl | None = None
        self.positions: Positions | None = None
        self.positions_ns = 0

    def take(self, published: Published) -> None:
        """Take an event of this client."""
        self.updates += 1
        self.updated_ns = published.monotonic_ns
        event = published.event
        if isinstance(event, Pnl):
            self.pnl = event
            self.series.add(published.ts_received, event.pnl, monotonic_ns=published.monotonic_ns)
        elif isinstance(event, Positions):
            self.positions = event
            self.positions_ns = published.ts_received
