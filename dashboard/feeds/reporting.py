"""What is told of the feeds: how they stand and what they have, as events of the hub."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from dashboard.core.directory import Catalogue
from dashboard.core.feed_state import FLOWING, FeedState
from dashboard.core.reports import FeedCatalogue, FeedReport, Playback, Stretch
from dashboard.feeds.base import Feed, Publish
from dashboard.feeds.supervisor import LastEvent, Supervisor

LOOK_S = 0.1
"""How often feeds are looked at: a changed state is told within this time."""
TELL_NS = 1_000_000_000
"""How often a feed is told of, changed or not."""
KEPT_SILENCES = 16
"""The newest that are told."""


class _Told:
    """What was told of one feed last, and its silences so far."""

    def __init__(self) -> None:
        self.at_ns: int | None = None
        self.state: FeedState | None = None
        self.stretch: Stretch | None = None
        self.silences = deque[int](maxlen=KEPT_SILENCES)

    def note_silence(self, state: FeedState, last: LastEvent | None) -> None:
        """Keep when a feed that does not flow fell silent."""
        if state in FLOWING or last is None:
            return
        if not self.silences or self.silences[-1] != last.ts_event:
            self.silences.append(last.ts_event)


class Reporter:
    """Tells of each feed once a second, and at once when it changes how it stands or plays.

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
        self._told = {feed.name: _Told() for feed in supervisor.feeds}

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
            told = self._told[feed.name]
            if (
                told.at_ns is None
                or now - told.at_ns >= TELL_NS
                or status[feed.name].state is not told.state
                or _stretch(feed) != told.stretch
            ):
                self._tell(feed)

    def _tell(self, feed: Feed) -> None:
        name, supervisor = feed.name, self._supervisor
        status, last = supervisor.status()[name], supervisor.last_events()[name]
        told = self._told[name]
        told.at_ns, told.state, told.stretch = self._monotonic(), status.state, _stretch(feed)
        told.note_silence(status.state, last)
        report = FeedReport(
            feed=name,
            status=status,
            last_event_ns=None if last is None else last.received_ns,
            silences=tuple(told.silences),
            skipped_by_cause=dict(feed.skipped_by_cause),
            clock_skew=supervisor.clock_skew()[name],
            shadowed=supervisor.shadowed()[name],
            playback=_playback(feed),
            ts_event=self._clock(),
        )
        self._publish(report)


def _stretch(feed: Feed) -> Stretch | None:
    """Give how a replay is played now."""
    return None if feed.playback is None else feed.playback.stretches[-1]


def _playback(feed: Feed) -> Playback | None:
    played = feed.playback
    if played is None:
        return None
    return Playback(
        position_s=round(played.position_s, 2),
        duration_s=round(played.duration_s, 2),
        speed=played.speed,
        paused=played.paused,
        began_ns=played.began_ns,
        stretches=tuple(played.stretches),
        note=played.note,
    )
