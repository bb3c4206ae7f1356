"""What waits to be sent to one client, and what happens when it does not read.

The policy is CONFLATE: a client that lags gets the newest frame of each slot,
not a history that is no longer true.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum
from operator import itemgetter

CAPACITY = 1000


class Kept(Enum):
    """The slots of frames that no newer one can stand in for."""

    REPLY = "reply"
    """An answer: never forgotten. No further request is taken while answers wait."""
    TRADE = "trade"
    """The oldest is forgotten, and counted as lost, when `capacity` of them wait."""


Slot = Hashable
"""What a newer frame of the same slot replaces; or one of `Kept`."""
Entry = tuple[Slot, bytes]
Notice = Callable[[int, int], bytes]
"""Writes the frame that tells a client how many were conflated and how many lost."""


class Outbox:
    """Hold the frames of one client in order: `capacity` of them, then one per slot.

    Counters only rise: `conflated` (replaced by a newer one) and `lost` (forgotten).
    With a `notice`, what is taken begins with what was not delivered since the last one.
    """

    def __init__(self, *, capacity: int = CAPACITY, notice: Notice | None = None) -> None:
        self.conflated = 0
        self.lost = 0
        self._capacity = capacity
        self._notice = notice
        self._told = (0, 0)
        self._arrivals = 0
        self._queue: deque[tuple[int, Slot, bytes]] = deque()
        self._trades: deque[tuple[int, Slot, bytes]] = deque()
        self._latest: dict[Slot, tuple[int, Slot, bytes]] = {}
        self._lagging = False

    def __len__(self) -> int:
        return len(self._queue) + len(self._trades) + len(self._latest)

    def add(self, entries: Iterable[Entry]) -> None:
        """Add frames to one who reads: they are taken at once, so there is no limit."""
        for slot, frame in entries:
            self._arrivals += 1
            self._queue.append((self._arrivals, slot, frame))

    def reply(self, frame: bytes) -> None:
        """Add an answer to a request."""
        self.add(((Kept.REPLY, frame),))

    def offer(self, entries: Iterable[Entry]) -> None:
        """Add frames to one who lags: beyond the capacity they are conflated."""
        for slot, frame in entries:
            self._arrivals += 1
            if not self._lagging and len(self._queue) >= self._capacity:
                self._begin_lagging()
            if self._lagging:
                self._conflate((self._arrivals, slot, frame))
            else:
                self._queue.append((self._arrivals, slot, frame))

    def forget(self, slot: Slot) -> None:
        """Forget conflated data: the client has ended this subscription."""
        self._latest.pop(slot, None)

    def take(self) -> list[bytes]:
        """Take everything, oldest first; a lagging outbox starts afresh."""
        entries = list(self._queue)
        if self._lagging:
            entries = sorted((*entries, *self._trades, *self._latest.values()), key=itemgetter(0))
        frames = [frame for _, _, frame in entries]
        self._queue.clear()
        self._trades.clear()
        self._latest.clear()
        self._lagging = False
        missed = (self.conflated, self.lost)
        if self._notice is not None and missed != self._told:
            conflated, lost = self._told
            self._told = missed
            frames.insert(0, self._notice(missed[0] - conflated, missed[1] - lost))
        return frames

    def _begin_lagging(self) -> None:
        self._lagging = True
        waiting, self._queue = self._queue, deque()
        for entry in waiting:
            self._conflate(entry)

    def _conflate(self, entry: tuple[int, Slot, bytes]) -> None:
        slot = entry[1]
        if slot is Kept.REPLY:
            self._queue.append(entry)
        elif slot is Kept.TRADE:
            if len(self._trades) >= self._capacity:
                self._trades.popleft()
                self.lost += 1
            self._trades.append(entry)
        else:
            self.conflated += slot in self._latest
            self._latest[slot] = entry
