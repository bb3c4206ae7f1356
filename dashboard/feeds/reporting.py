"""What is told of the feeds: how they stand and what they have, as events of the hub."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from dashboard.core.directory import Catalogue
from dashboard.core.feed_state import FeedState
from dashboard.core.reports import FeedCatalogue, FeedReport, Playback
from dashboard.feeds.base import Feed, Publish
from dashboard.feeds.supervisor import Supervisor

LOOK_S = 0.1
"""How often feeds are looked at: a changed state is told within this time."""
TELL_NS = 1_000_000_000
"""How often a feed is told of, changed or not."""


class Reporter:
    """Tells of each feed once a second, and at once when its state changes or it was controlled.

    `clock` gives ns since the Unix epoch, `monotonic` ns of a clock that is never set.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        publish: Publish,
        clock: Callable[[], int],
        monotonic: Callable[[], int],
    ) -> None:
        self._supervisor = supervisor
        self._publish = publish
        self._clock = clock
        self._monotonic = monotonic
        self._told: dict[str, tuple[FeedState, int]] = {}

    def tell_catalogues(self, catalogues: Sequence[Catalogue]) -> None:
        """Tell what every feed has."""
        paced = {feed.name: feed.paced for feed in self._supervisor.feeds}
        for each in catalogues:
            told = FeedCatalogue(catalogue=each, paced=paced[each.feed], ts_event=self._clock())
            self._publish(told)

    def tell(self, name: str) -> None:
        """Tell how a feed stands, now."""
        self._tell(next(each for each in self._supervisor.feeds if each.name == name))

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Look at the feeds for ever."""
        while True:
            self.look()
            await sleep(LOOK_S)

    def look(self) -> None:
        """Tell of those that have changed, and of those that were not told of for a second."""
        now, status = self._monotonic(), self._supervisor.status()
        for feed in self._supervisor.feeds:
            state, told_ns = self._told.get(feed.name, (None, 0))
            if now - told_ns >= TELL_NS or status[feed.name].state is not state:
                self._tell(feed)

    def _tell(self, feed: Feed) -> None:
        name, supervisor = feed.name, self._supervisor
        status = supervisor.status()[name]
        self._told[name] = status.state, self._monotonic()
        report = FeedReport(
            feed=name,
            status=status,
            skipped_by_cause=dict(feed.skipped_by_cause),
            clock_skew=supervisor.clock_skew()[name],
            shadowed=supervisor.shadowed()[name],
            playback=_playback(feed),
            ts_event=self._clock(),
        )
        self._publish(report)


def _playback(feed: Feed) -> Playback | None:
    played = feed.playback
    if played is None:
        return None
    return Playback(
        position_s=round(played.position_s, 2),
        duration_s=round(played.duration_s, 2),
        speed=played.speed,
        paused=played.paused,
        note=played.note,
    )
