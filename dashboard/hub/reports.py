"""How the feeds stand and what they have, as the hub has been told; see `core.reports`."""

from collections.abc import Callable, Mapping

import msgspec

from dashboard.core.directory import Directory
from dashboard.core.feed_state import FLOWING, FeedState, FeedStatus
from dashboard.core.model import Channel, Kind, Published, Topic
from dashboard.core.reports import FeedCatalogue, FeedReport
from dashboard.hub.hub import Hub

SILENT_NS = 3 * 1_000_000_000
"""An owner that has told nothing of its feeds for so long is away: they count as stale."""


class FeedReports:
    """Reads the newest reports and catalogues of the hub, in the order of `feeds`, their names.

    `monotonic` is in ns.
    """

    def __init__(self, hub: Hub, feeds: tuple[str, ...], *, monotonic: Callable[[], int]) -> None:
        self._hub = hub
        self._feeds = feeds
        self._monotonic = monotonic
        self._seen = -1
        self._catalogues: dict[str, FeedCatalogue] = {}
        self._directory = Directory()

    @property
    def directory(self) -> Directory:
        """Give all instruments of all feeds; it is another one when a feed has told of others."""
        self._look()
        return self._directory

    @property
    def conflates(self) -> bool:
        """Tell whether the frequency is a conflation interval: a feed has a rate of its own."""
        self._look()
        return not all(each.paced for each in self._catalogues.values())

    def _look(self) -> None:
        """Read the catalogues where something has come in their channel: this is asked often."""
        count = self._hub.published_in(Channel.STATUS)
        if count == self._seen:
            return
        self._seen = count
        told = {
            name: each.event
            for name, each in self._newest(Kind.FEED_CATALOGUE).items()
            if isinstance(each.event, FeedCatalogue)
        }
        if any(told[name] is not self._catalogues.get(name) for name in told):
            self._catalogues = told
            self._directory = Directory([each.catalogue for each in told.values()])

    def current(self) -> Mapping[str, FeedReport]:
        """Give the newest report of each feed by its name, its age as of now.

        One that was not told of yet is stale.
        """
        now, told = self._monotonic(), self._newest(Kind.FEED_REPORT)
        return {
            name: _as_of(told[name], now) if name in told else _untold(name) for name in self._feeds
        }

    def status(self) -> dict[str, FeedStatus]:
        """Tell how each feed stands now, by name."""
        return {name: each.status for name, each in self.current().items()}

    def _newest(self, kind: Kind) -> dict[str, Published]:
        found = ((name, self._hub.latest_of(Topic(kind, "", name))) for name in self._feeds)
        return {name: each for name, each in found if each is not None}


def _as_of(published: Published, now_ns: int) -> FeedReport:
    """Let a report grow old; what was flowing then is stale when nothing more was told."""
    report = published.event
    if not isinstance(report, FeedReport):
        return _untold(published.topic.subject)
    passed_ns, status = now_ns - published.monotonic_ns, report.status
    age_s, state, silences = status.last_event_age_s, status.state, report.silences
    if passed_ns > SILENT_NS and state in FLOWING:
        state = FeedState.STALE
        if report.last_event_ns is not None:
            silences = (*silences, report.last_event_ns)
    status = msgspec.structs.replace(
        status, state=state, last_event_age_s=None if age_s is None else age_s + passed_ns / 1e9
    )
    return msgspec.structs.replace(report, status=status, silences=silences)


def _untold(name: str) -> FeedReport:
    status = FeedStatus(state=FeedState.STALE, last_event_age_s=None, events=0, gaps=0, skipped=0)
    return FeedReport(feed=name, status=status, ts_event=0)
