"""Bars of every instrument that is traded, at the intervals that we keep."""

import asyncio

from dashboard.core.bars import KEPT, Bar, BarSeries, Interval
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.instruments import Instrument
from dashboard.core.model import Kind, Topic, Trade
from dashboard.hub.hub import Hub

DRAIN_S = 0.25
BUFFER_EVENTS = 50_000


NOTHING_TRADED = BarSeries(interval_s=1, limit=0)


class Bars:
    """Build bars from the hub's trades; those from before a feed was connected do not count.

    One subscription serves all instruments. It is drained four times a second
    and whenever bars are asked for, so an answer misses no trade. The bars of an
    instrument go when its topic of trades ends.
    """

    def __init__(self, hub: Hub) -> None:
        self._series: dict[tuple[str, str], dict[Interval, BarSeries]] = {}
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

    def of(self, instrument: Instrument, interval: Interval, count: int) -> list[Bar]:
        """Give an instrument's newest `count` bars, oldest first; none where nothing was traded."""
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

    def _drain(self) -> None:
        for published in self._subscription.take():
            trade = published.event
            if isinstance(trade, Trade):
                if not trade.historical:
                    with self._survival:
                        self._apply(trade, published.ts_received)
            else:
                self._series.pop((published.topic.exchange, published.topic.subject), None)

    def _apply(self, trade: Trade, received_ns: int) -> None:
        key = (trade.exchange, trade.symbol)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = {
                interval: BarSeries(interval_s=seconds, limit=limit)
                for interval, (seconds, limit) in KEPT.items()
            }
        for each in series.values():
            each.apply_trade(trade.ts_event, trade.price, trade.size, received_ns=received_ns)


def _wants(topic: Topic) -> bool:
    return topic.kind is Kind.TRADE
