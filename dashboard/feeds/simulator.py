"""The simulator as a feed: the simulated market, played in real time."""

import asyncio
from collections.abc import Callable, Sequence

from dashboard.config import Settings
from dashboard.core.instruments import Instrument
from dashboard.feeds.base import Feed, Publish, Refusals
from dashboard.feeds.registry import Declaration
from dashboard.feeds.simulated_market import SimulatedMarket

NAP_S = 0.1
"""Longest sleep, so that a shorter interval is felt at once."""


class Simulator(Feed):
    """Publish a `SimulatedMarket`; its interval is the frequency setting.

    Events are stamped by `clock`, in ns since the Unix epoch, and due by `monotonic`:
    without it, `clock` must be one that is never set. Its books are always whole,
    however few levels are wanted.
    """

    name = "simulator"
    paced = True

    def __init__(
        self,
        *,
        interval_ms: int,
        clock: Callable[[], int],
        seed: int | None = None,
        symbols: int | None = None,
        listed: int = 0,
        monotonic: Callable[[], int] | None = None,
    ) -> None:
        self._clock = clock
        self._now = monotonic or clock
        self._market = SimulatedMarket(
            interval_ms=interval_ms, now=self._now(), seed=seed, symbols=symbols, listed=listed
        )
        self._publish: Publish | None = None

    def instruments(self) -> Sequence[Instrument]:
        """List the simulated instruments that move from the start."""
        return self._market.instruments

    def on_demand(self) -> Sequence[Instrument]:
        """List those that move only while they are subscribed to."""
        return self._market.on_demand

    async def load(self) -> None:
        """Do nothing: its instruments never change."""

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval of all streams that follow the frequency setting."""
        self._market.set_interval(interval_ms, self._now())

    async def subscribe(self, instruments: Sequence[Instrument], depth: int) -> Refusals:
        """Let instruments' streams run; what rested says at once where it stands."""
        known = [each.key for each in instruments if each.key in self._market]
        first = self._market.activate(known, self._clock())
        if self._publish is not None:
            for event in first:
                self._publish(event)
        return {
            each.key: f"no instrument {each.symbol!r}"
            for each in instruments
            if each.key not in self._market
        }

    async def unsubscribe(self, instruments: Sequence[Instrument]) -> None:
        """Let instruments' streams rest."""
        self._market.rest([each.key for each in instruments])

    async def run(self, publish: Publish) -> None:
        """Publish what is due, for ever."""
        self._publish = publish
        try:
            while True:
                for event in self._market.due(self._now(), ts_event=self._clock()):
                    publish(event)
                wait_s = (self._market.next_due - self._now()) / 1e9
                await asyncio.sleep(min(max(wait_s, 0.0), NAP_S))
        finally:
            self._publish = None


def check(_settings: Settings) -> None:
    """Do nothing: all that can be set of it is of use."""


def build(
    settings: Settings, *, clock: Callable[[], int], monotonic: Callable[[], int]
) -> Simulator:
    """Build it as it is set."""
    return Simulator(
        interval_ms=settings.frequency_ms,
        clock=clock,
        monotonic=monotonic,
        seed=settings.simulator_seed,
        symbols=settings.simulator_symbols,
        listed=settings.simulator_listed,
    )


DECLARATION = Declaration(
    settings=("frequency_ms", "simulator_seed", "simulator_symbols", "simulator_listed"),
    check=check,
    build=build,
)
