"""What a subscription has brought since it was last dispatched, to be looked at before that."""

from collections.abc import Iterable

from dashboard.core.model import Published, Topic
from dashboard.hub.subscription import Subscription


class Arrivals:
    """Events that wait to be dispatched; each is put in order once, however many look."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._waiting: list[Published] = []
        self._by_topic: dict[Topic, list[Published]] = {}

    def take(self) -> list[Published]:
        """Take all, oldest first."""
        taken = self._subscription.take()
        if self._waiting:
            taken = self._waiting + taken
            self._waiting = []
            self._by_topic = {}
        return taken

    @property
    def all(self) -> list[Published]:
        """Look at all, oldest first."""
        self._look()
        return self._waiting

    def of(self, topics: Iterable[Topic]) -> list[Published]:
        """Look at those of some topics, oldest first."""
        self._look()
        found = [each for topic in topics for each in self._by_topic.get(topic, ())]
        return sorted(found, key=lambda each: each.offset)

    def _look(self) -> None:
        for each in self._subscription.take():
            self._waiting.append(each)
            self._by_topic.setdefault(each.topic, []).append(each)
        if self._waiting:
            self._subscription.wake()  # for whoever dispatches
