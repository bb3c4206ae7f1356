"""The bounded buffer before one who reads at a pace of its own, and what it does when full.

All three policies keep memory bounded whatever the reader does. Only CONFLATE needs
more than a deque, and it is the one that market data wants: a reader that lags gets the
newest price and book of every instrument, not a history that is no longer true.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, StrEnum
from itertools import groupby
from typing import Generic, TypeVar

from dashboard.core.errors import SubscriptionOverflowError
from dashboard.core.model import Channel, Published, Topic


class OverflowPolicy(StrEnum):
    """What happens to a reader whose buffer is full."""

    CONFLATE = "conflate"
    """Keep the latest entry per slot, and the newest of those that no newer one replaces."""
    DROP_OLDEST = "drop_oldest"
    """Forget the oldest entry, whatever it is."""
    DISCONNECT = "disconnect"
    """Raise SubscriptionOverflowError for this reader."""


class Kept(Enum):
    """The slots of entries that no newer one can stand in for."""

    REPLY = "reply"
    """An answer: never forgotten. No further request is taken while answers wait."""
    TRADE = "trade"
    """The oldest is forgotten, and counted as lost, when `capacity` of them wait."""
    EVENT = "event"
    """What a runner tells and nothing newer says: as a trade, and it pushes out none of those."""


Entry = TypeVar("Entry")
Slot = Hashable
"""What a newer entry of the same slot replaces, and no number; or one of `Kept`."""


class Buffer(Generic[Entry]):
    """Hold what one reader has not taken yet, in order: `capacity` entries, then by the policy.

    `slot_of` names the slot of an entry. Counters only rise: `conflated` (replaced by a newer
    entry of the slot), `lost` (forgotten without a newer one to stand in for it), and of these
    `lost_events`, which were of runners.
    """

    def __init__(
        self,
        *,
        name: str,
        capacity: int,
        policy: OverflowPolicy,
        slot_of: Callable[[Entry], Slot],
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}; a buffer holds at least one entry")
        self.name = name
        self.capacity = capacity
        self.policy = policy
        self.conflated = 0
        self.lost = 0
        self.lost_events = 0
        self._slot_of = slot_of
        self._queue: deque[Entry] = deque()
        self._lagging = False
        self._newest: dict[Slot, Entry] = {}
        """While it lags, all that waits, the oldest first: by slot, or by a number of its own."""
        self._trades: deque[int] = deque()
        """The numbers of the trades among them."""
        self._events: deque[int] = deque()
        """The numbers of what runners told among them."""
        self._number = 0

    def __len__(self) -> int:
        return len(self._queue) + len(self._newest)

    def offer(self, entry: Entry) -> None:
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

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries for a reader who takes them at once: there is no limit, unless it lags."""
        if not self._lagging:
            self._queue.extend(entries)
            return
        for entry in entries:
            self._conflate(entry)

    def lag(self) -> None:
        """Conflate all that waits, and what comes until it is taken, though it is not full."""
        if not self._lagging:
            self._begin_lagging()

    def forget(self, slot: Slot) -> None:
        """Forget what is conflated of a slot: the reader has no use for it any more."""
        self._newest.pop(slot, None)

    def take(self) -> list[Entry]:
        """Take everything, oldest first; a lagging buffer starts afresh."""
        if not self._lagging:
            taken = list(self._queue)
            self._queue.clear()
            return taken
        taken = list(self._newest.values())
        self._newest.clear()
        self._trades.clear()
        self._events.clear()
        self._lagging = False
        return taken

    def _begin_lagging(self) -> None:
        self._lagging = True
        waiting, self._queue = self._queue, deque()
        for entry in waiting:
            self._conflate(entry)

    def _conflate(self, entry: Entry) -> None:
        slot = self._slot_of(entry)
        if isinstance(slot, Kept):
            slot = self._keep(slot)
        elif slot in self._newest:
            del self._newest[slot]  # it goes to the end
            self.conflated += 1
        self._newest[slot] = entry

    def _keep(self, kept: Kept) -> int:
        """Give an entry that nothing replaces a number, at the cost of its oldest like if full."""
        self._number += 1
        if kept is not Kept.REPLY:
            waiting = self._trades if kept is Kept.TRADE else self._events
            if len(waiting) >= self.capacity:
                del self._newest[waiting.popleft()]
                self.lost += 1
                self.lost_events += kept is Kept.EVENT
            waiting.append(self._number)
        return self._number


def slot_of(published: Published) -> Slot:
    """Give what a newer event replaces: its topic, unless each event of it counts."""
    if published.event.conflatable:
        return published.topic
    return Kept.EVENT if published.topic.kind.channel is Channel.RUNNERS else Kept.TRADE


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


def conflate_each(entries: Iterable[Published], *, span_ns: int) -> list[Published]:
    """Conflate each span of time for itself: what readers of that interval have got."""
    spans = groupby(entries, key=lambda entry: entry.monotonic_ns // span_ns)
    return [entry for _, span in spans for entry in conflate(span)]
