"""What is remembered of the clients: PnL over half an hour, and the latest positions."""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Kind, Pnl, Positions, Published
from dashboard.hub.hub import Hub

SECOND_NS = 1_000_000_000
REMEMBERED_NS = 30 * 60 * SECOND_NS
TRIM_NS = 60 * SECOND_NS
"""Samples are forgotten by the minute, as each time moves all others in memory."""
MAX_CLIENTS = 500
BUFFER_EVENTS = 10_000
DRAIN_S = 1.0
KINDS = frozenset({Kind.PNL, Kind.POSITIONS})


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


class Accounts:
    """The clients of all exchanges, in the order in which they were first heard of.

    Of more than `max_clients`, the one that was silent for the longest is
    forgotten, and counted in `forgotten`.
    """

    def __init__(self, hub: Hub, *, max_clients: int = MAX_CLIENTS) -> None:
        self.forgotten = 0
        self._max_clients = max_clients
        self._accounts: dict[tuple[str, str], Account] = {}
        self._subscription = hub.subscribe(
            name="accounts",
            wants=lambda topic: topic.kind in KINDS,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._survival = hub.failures.at("accounts")

    @property
    def updates(self) -> int:
        """Count every update of PnL and positions so far."""
        return self._subscription.offered

    def current(self) -> list[Account]:
        """Give every client, after taking in what has come."""
        self.drain()
        return list(self._accounts.values())

    def positions(self) -> list[Positions]:
        """Give the latest positions of every client that has sent any."""
        return [each.positions for each in self.current() if each.positions is not None]

    def drain(self) -> None:
        """Take in what has come since the last time."""
        for published in self._subscription.take():
            with self._survival:
                self._take(published)

    def close(self) -> None:
        """Take in no more."""
        self._subscription.close()

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Drain every second until the hub closes, so that no buffer fills up."""
        while not self._subscription.closed:
            await self._subscription.ready()
            self.drain()
            await sleep(DRAIN_S)

    def _take(self, published: Published) -> None:
        topic = published.topic
        key = (topic.exchange, topic.subject)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = self._admit(*key)
        account.take(published)

    def _admit(self, exchange: str, client: str) -> Account:
        if len(self._accounts) >= self._max_clients:
            silent = min(self._accounts, key=lambda key: self._accounts[key].updated_ns)
            del self._accounts[silent]
            self.forgotten += 1
        return Account(exchange=exchange, client=client)
