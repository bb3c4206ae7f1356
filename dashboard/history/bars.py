"""Bars of every instrument that is traded or has whole ones, at the intervals that we keep."""

import asyncio
from collections.abc import Awaitable, Callable

from dashboard.core.bars import KEPT, Bar, BarSeries, BarsKept, Interval
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.model import ClosedBar, Kind, Published, Topic, Trade
from dashboard.hub.hub import Hub

DRAIN_S = 0.25
BUFFER_EVENTS = 50_000
NOTHING_TRADED = BarSeries(interval_s=1, limit=0)
COUNTED = (Kind.TRADE, Kind.CLOSED_BAR)
Ask = Callable[[InstrumentKey], Awaitable[BarsKept]]


class Bars:
    """Build bars from the hub's trades; those from before a feed was connected do not count.

    Where a feed has whole bars in place of trades, they make those of each interval that they
    fill evenly, at the times at which they were published: a minute's make those of five minutes,
    and none of a second.

    One subscription serves all instruments. It is drained four times a second
    and whenever bars are asked for, so an answer misses no trade. The bars of an
    instrument go when the topic that they are made of ends. On a hub that follows another
    one, `ask` tells what was kept there before: `load` it when it is wanted.
    """

    def __init__(self, hub: Hub, *, ask: Ask | None = None) -> None:
        self._hub = hub
        self._ask = ask
        self._loaded: dict[InstrumentKey, int] = {}
        """The number of the last event that is in what was told, by instrument."""
        self._series: dict[InstrumentKey, dict[Interval, BarSeries]] = {}
        self._subscription = hub.subscribe(
            name="bars",
            wants=_wants,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.DROP_OLDEST,
        )
        self._survival = hub.failures.at("bars")

    async def run(self) -> None:
        """Drain the subscription until the hub closes."""
        while not self._subscription.closed:
            await self._subscription.ready()
            self._drain()
            await asyncio.sleep(DRAIN_S)

    def close(self) -> None:
        """Take in no more."""
        self._subscription.close()

    async def load(self, instrument: Instrument) -> None:
        """Have an instrument's bars of before; what is at hand already costs nothing.

        Raises:
            CommandError: when they cannot be told.
        """
        if self._ask is not None and instrument.key not in self._loaded:
            self._begin_with(instrument.key, await self._ask(instrument.key))

    def keep(self, key: InstrumentKey) -> BarsKept:
        """Copy what is kept of an instrument, for another hub's bars to begin with."""
        self._drain()
        series = self._series.get(key, {})
        return BarsKept(
            self._hub.published, {interval: each.copied() for interval, each in series.items()}
        )

    def of(self, instrument: Instrument, interval: Interval, count: int) -> list[Bar]:
        """Give an instrument's newest `count` bars, oldest first; none where there is nothing."""
        return self._series_of(instrument, interval).newest(count)

    def kept(self, instrument: Instrument, interval: Interval) -> list[Bar]:
        """Give all of an instrument's bars, oldest first.

        Beyond the newest there may be some that lie ahead of the clock, see `BarSeries`.
        """
        return self._series_of(instrument, interval).kept()

    def changes(self, instrument: Instrument, interval: Interval) -> int:
        """Give a number that rises when an instrument's bars change."""
        return self._series_of(instrument, interval).changes

    def changed(self, instrument: Instrument, interval: Interval, since: int) -> list[Bar]:
        """Give the bars that are new or have changed since `changes` was that, oldest first."""
        return self._series_of(instrument, interval).changed(since)

    def _series_of(self, instrument: Instrument, interval: Interval) -> BarSeries:
        self._drain()
        series = self._series.get((instrument.exchange, instrument.symbol))
        return NOTHING_TRADED if series is None else series[interval]

    def _begin_with(self, key: InstrumentKey, kept: BarsKept) -> None:
        """Take over what was kept elsewhere, and add what came after it."""
        self._drain()
        self._loaded[key] = kept.offset
        series = self._series[key] = _new_series()
        for interval, bars in kept.bars.items():
            series[interval].begin_with(bars)
        for published in self._hub.recent([Topic(kind, *key) for kind in COUNTED]):
            self._take(published)

    def _drain(self) -> None:
        for published in self._subscription.take():
            self._take(published)

    def _take(self, published: Published) -> None:
        event = published.event
        if isinstance(event, Trade):
            if not event.historical:
                with self._survival:
                    self._apply(event, published)
        elif isinstance(event, ClosedBar):
            with self._survival:
                self._apply(event, published)
        else:
            self._series.pop((published.topic.exchange, published.topic.subject), None)

    def _apply(self, event: Trade | ClosedBar, published: Published) -> None:
        key = (event.exchange, event.symbol)
        if published.offset <= self._loaded.get(key, 0):
            return
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _new_series()
        if isinstance(event, ClosedBar):
            for each in series.values():
                each.apply_bar(event, received_ns=published.ts_received)
            return
        for each in series.values():
            each.apply_trade(
                event.ts_event,
                event.price,
                event.size,
                anew=event.anew,
                received_ns=published.ts_received,
            )


def _new_series() -> dict[Interval, BarSeries]:
    return {
        interval: BarSeries(interval_s=seconds, limit=limit)
        for interval, (seconds, limit) in KEPT.items()
    }


def _wants(topic: Topic) -> bool:
    return topic.kind in COUNTED
