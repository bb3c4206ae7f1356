"""The instrument master: all instruments of all feeds by name, and how to have one delivered."""

from collections.abc import Sequence

import structlog

from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument
from dashboard.feeds.base import Feed, OnDemandFeed

log = structlog.get_logger(__name__)


class InstrumentMaster:
    """What the feeds have; it does not change while they run.

    `standing` are delivered from the start, `on_demand` only once somebody has
    asked for them; both are in the order of the feeds. Ids are unique: of two
    feeds that have an instrument of one id, the first one's counts, and a
    standing one before one on demand.
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._by_id: dict[str, Instrument] = {}
        for feed in feeds:
            for each in feed.instruments():
                self._by_id.setdefault(each.id, each)
        self.standing = tuple(self._by_id.values())
        self._feeds: dict[str, Feed] = {}
        """The feed of each instrument on demand, by its id."""
        for feed in feeds:
            for each in feed.on_demand() if isinstance(feed, OnDemandFeed) else ():
                if self._by_id.setdefault(each.id, each) is each:
                    self._feeds[each.id] = feed
        self.on_demand = tuple(self._by_id[id_] for id_ in self._feeds)
        self._by_symbol = _by_symbol(self.on_demand) | _by_symbol(self.standing)

    @property
    def listings(self) -> tuple[Instrument, ...]:
        """Give every instrument: the standing ones, then those on demand."""
        return self.standing + self.on_demand

    def named(self, name: str) -> Sequence[Instrument]:
        """Give all that a name stands for: the one of this full id, else all with this symbol.

        A symbol stands for instruments on demand only where no standing one has it.
        """
        if (found := self._by_id.get(name)) is not None:
            return (found,)
        return self._by_symbol.get(name, ())

    async def deliver(self, instrument: Instrument) -> None:
        """Have an instrument's feed deliver it; a standing one is delivered already.

        A refusal is logged; the instrument then stays known and without data.
        """
        feed = self._feeds.get(instrument.id)
        if feed is None:
            return
        try:
            await feed.subscribe(instrument)
        except FeedError as error:
            log.warning(
                "instrument refused", feed=feed.name, instrument=instrument.id, error=error.problem
            )


def _by_symbol(instruments: Sequence[Instrument]) -> dict[str, list[Instrument]]:
    found: dict[str, list[Instrument]] = {}
    for each in instruments:
        found.setdefault(each.symbol, []).append(each)
    return found
