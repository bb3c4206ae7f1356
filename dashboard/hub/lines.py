"""What the hub has of each topic: the newest event, and who wants the next one."""

from collections.abc import Iterable
from operator import attrgetter

from dashboard.core.model import Kind, Published, Topic
from dashboard.hub.ring import Ring
from dashboard.hub.subscription import Subscription

_offset = attrgetter("offset")


class Line:
    """One topic; `newest` is its newest event, and `ring` the one of its channel.

    `route` is who wants its events, as it was found out in the hub's `routing` of that number.
    """

    __slots__ = ("newest", "ring", "route", "routing", "topic")

    def __init__(self, first: Published, ring: Ring) -> None:
        self.topic = first.topic
        self.newest = first
        self.ring = ring
        self.route: tuple[Subscription, ...] = ()
        self.routing = -1


class Lines:
    """All topics that have begun and not ended."""

    def __init__(self) -> None:
        self._lines: dict[Topic, Line] = {}
        self._of_kind: dict[Kind, dict[Topic, Line]] = {kind: {} for kind in Kind}
        self.get = self._lines.get
        """Give the line of a topic, or None before its first event; each event asks for one."""

    def __len__(self) -> int:
        return len(self._lines)

    def begin(self, first: Published, ring: Ring) -> Line:
        """Begin the line of a topic with its first event."""
        topic = first.topic
        line = self._lines[topic] = self._of_kind[topic.kind][topic] = Line(first, ring)
        return line

    def drop(self, topic: Topic) -> None:
        """Keep nothing of a topic."""
        del self._lines[topic], self._of_kind[topic.kind][topic]

    def newest(self, topics: Iterable[Topic]) -> list[Published]:
        """Give the newest event of each of these topics that has one, oldest first."""
        lines = self._lines
        found = [line.newest for topic in topics if (line := lines.get(topic)) is not None]
        found.sort(key=_offset)
        return found

    def newest_of_kinds(self, kinds: Iterable[Kind]) -> list[Published]:
        """Give the newest event of each topic of these kinds, oldest first."""
        found = [line.newest for kind in kinds for line in self._of_kind[kind].values()]
        found.sort(key=_offset)
        return found
