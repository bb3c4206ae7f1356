"""What a filter of the live stream lets through, and how that is written."""

from collections.abc import Callable, Iterable, Sequence

from dashboard.core.conflation import Slot, slot_of
from dashboard.core.directory import Directory
from dashboard.core.model import Kind, Published, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from dashboard.protocols.live_filters import Filter
from dashboard.protocols.runner_events import EVENT_KINDS
from dashboard.streaming.common_topics import CommonTopics

FIRST_KINDS = (Kind.RUNNER_STARTED, Kind.TICK_RECEIVED)
"""Who has told anything has told one of these."""


class LiveReading:
    """Reads the hub for the clients of a live stream; `directory` gives the one of now."""

    def __init__(self, hub: Hub, directory: Callable[[], Directory]) -> None:
        self.common = CommonTopics()
        self._hub = hub
        self._directory = directory

    def refresh(self) -> None:
        """Go by the directory of now."""
        self.common.look_into(self._directory())

    def wants(self, wanted: Filter, published: Published) -> bool:
        """Tell whether a filter lets an event through."""
        event, topic = published.event, published.topic
        if topic.kind in EVENT_KINDS:
            return isinstance(event, RunnerEvent) and wanted.wants_event(event)
        return wanted.wants(topic, common=self.common[topic])

    def latest(self, wanted: Filter, *, without: Filter | None = None) -> Sequence[Published]:
        """Give the latest values that a filter lets through, `without` those that another does."""
        found = self._hub.latest(wanted.topics)
        if kinds := wanted.common_kinds | wanted.unnamed_event_kinds:
            found += self._hub.latest_of_kinds(kinds)
        added = (
            each
            for each in found
            if self.wants(wanted, each) and not (without and self.wants(without, each))
        )
        return sorted(added, key=lambda each: each.offset)

    def has_told(self, runner: str) -> bool:
        """Tell whether a runner of this name has told anything, and was not removed since."""
        return any(self._hub.latest_of(Topic(kind, "", runner)) for kind in FIRST_KINDS)

    def frames(self, wanted: Filter, events: Iterable[Published]) -> list[str]:
        """Write events as a client gets them, without those that cannot be written."""
        return [frame for _, frame in self.written(wanted, events)]

    def written(self, wanted: Filter, events: Iterable[Published]) -> Iterable[tuple[Slot, str]]:
        """Write them so, each with its slot."""
        for each in events:
            if not live.carries(each.event):
                continue
            tagged = wanted.tagged and each.topic.kind in EVENT_KINDS
            if frame := self._hub.frame(each, live.TAGGED_DIALECT if tagged else live.DIALECT):
                yield slot_of(each), frame
