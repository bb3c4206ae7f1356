"""The bounded buffer between the hub and one subscriber, and what it does when full.

All three policies keep memory bounded whatever the subscriber does. Only
CONFLATE needs more than a deque, and it is the one that market data wants: a
reader that lags gets the newest price and book of every instrument, not a
history that is no longer true.
"""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum

from dashboard.core.errors import SubscriptionOverflowError
from dashboard.core.model import Published, Topic


class OverflowPolicy(StrEnum):
    """What happens to a subscriber whose buffer is full."""

    CONFLATE = "conflate"
    """Keep the latest conflatable event per topic, and the newest of the others."""
    DROP_OLDEST = "drop_oldest"
    """Forget the oldest event, whatever it is."""
    DISCONNECT = "disconnect"
    """Raise SubscriptionOverflowError for this subscriber."""


class Buffer:
    """Hold what one subscriber has not taken yet, in the order it was published.

    Counters only rise: `conflated` (replaced by a newer event of the topic),
    `lost` (forgotten without a newer one to stand in for it).
    """

    def __init__(self, *, name: str, capacity: int, policy: OverflowPolicy) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}; a buffer holds at least one event")
        self.name = name
        self.capacity = capacity
        self.policy = policy
        self.conflated = 0
        self.lost = 0
        self._queue: deque[Published] = deque()
        self._latest: dict[Topic, Published] = {}
        self._lagging = False

    def __len__(self) -> int:
        return len(self._queue) + len(self._latest)

    def offer(self, entry: Published) -> None:
        """Add one entry in constant time.

        Raises:
            SubscriptionOverflowError: when full and the policy is DISCONNECT.
        """
        if not self._lagging:
            if len(self._queue) < self.capacity:
                self._queue.append(entry)
                return
            match self.policy:
                case OverflowPolicy.DISCONNECT:
                    raise SubscriptionOverflowError(name=self.name, capacity=self.capacity)
                case OverflowPolicy.DROP_OLDEST:
                    self._queue.popleft()
                    self.lost += 1
                    self._queue.append(entry)
                    return
                case OverflowPolicy.CONFLATE:
                    self._begin_lagging()
        self._conflate(entry)

    def take(self) -> list[Published]:
        """Take everything, oldest first; a lagging buffer starts afresh."""
        taken = list(self._queue)
        self._queue.clear()
        if self._lagging:
            taken.extend(self._latest.values())
            taken.sort(key=lambda entry: entry.offset)
            self._latest.clear()
            self._lagging = False
        return taken

    def _begin_lagging(self) -> None:
        self._lagging = True
        waiting = list(self._queue)
        self._queue.clear()
        for entry in waiting:
            self._conflate(entry)

    def _conflate(self, entry: Published) -> None:
        if entry.event.conflatable:
            if entry.topic in self._latest:
                self.conflated += 1
            self._latest[entry.topic] = entry
            return
        if len(self._queue) == self.capacity:
            self._queue.popleft()
            self.lost += 1
        self._queue.append(entry)


def conflate(entries: Iterable[Published]) -> list[Published]:
    """Keep every lossless entry, and of each conflatable topic the last; order is kept."""
    latest: dict[Topic, Published] = {}
    lossless: list[Published] = []
    for entry in entries:
        if entry.event.conflatable:
            latest[entry.topic] = entry
        else:
            lossless.append(entry)
    return sorted([*latest.values(), *lossless], key=lambda entry: entry.offset)
