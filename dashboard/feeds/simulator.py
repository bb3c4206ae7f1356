"""The simulator as a feed: the simulated market, played in real time."""

import asyncio
from collections.abc import Callable, Sequence

from dashboard.core.errors import FeedError
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.feeds.base import Publish
from dashboard.feeds.simulated_market import SimulatedMarket

NAP_S = 0.1
"""Longest sleep, so that a shorter interval is felt at once."""


class Simulator:
    """Publish a `SimulatedMarket`; its interval is the frequency setting.

    Events are stamped by `clock`, in ns since the Unix epoch, and due by `monotonic`:
    without it, `clock` must be one that is never set.
    """

    name = "simulator"
    flowing_state = FeedState.LIVE

    def __init__(
        self,
        *,
        interval_ms: int,
        clock: Callable[[], int],
        seed: int | None = None,
        symbols: int | None = None,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self.gaps = 0
        self.skipped = 0
        self._clock = clock
        self._now = monotonic or clock
        self._market = SimulatedMarket(
            interval_ms=interval_ms, now=self._now(), seed=seed, symbols=symbols
        )
        self._subscribed = frozenset(self._market.instruments)

    def instruments(self) -> Sequence[Instrument]:
        """List the simulated instruments."""
        return self._market.instruments

    def on_demand(self) -> Sequence[Instrument]:
        """List those that move only once they were subscribed to."""
        return self._market.on_demand

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval of all streams that follow the frequency setting."""
        self._market.set_interval(interval_ms, self._now())

    async def subscribe(self, instrument: Instrument) -> None:
        """Let an instrument's streams run.

        Raises:
            FeedError: when the market does not have it.
        """
        if instrument in self._subscribed:
            return
        if instrument not in (*self._market.instruments, *self._market.on_demand):
            raise FeedError(feed=self.name, problem=f"no instrument {instrument.symbol!r}")
        self._activate(self._subscribed | {instrument})

    async def unsubscribe(self, instrument: Instrument) -> None:
        """Let an instrument's streams rest."""
        self._activate(self._subscribed - {instrument})

    async def run(self, publish: Publish) -> None:
        """Publish what is due, for ever."""
        while True:
            for event in self._market.due(self._now(), ts_event=self._clock()):
                publish(event)
            wait_s = (self._market.next_due - self._now()) / 1e9
            await asyncio.sleep(min(max(wait_s, 0.0), NAP_S))

    def _activate(self, instruments: frozenset[Instrument]) -> None:
        self._subscribed = instruments
        self._market.set_active(instruments)
