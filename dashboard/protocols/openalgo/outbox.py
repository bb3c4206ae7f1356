"""What waits to be sent to one client, and what happens when it does not read.

The policy is CONFLATE: a client that lags gets the newest data of each
instrument and mode, not a history that is no longer true.
"""

from dashboard.protocols.openalgo.modes import Key, Mode

CAPACITY = 1000

Slot = tuple[Key, Mode]


class Outbox:
    """Hold the frames of one client in order: `capacity` of them, then one per slot.

    Replies are never conflated; the caller takes no further request of a client
    while its replies wait. Counters only rise.
    """

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self.conflated = 0
        self._capacity = capacity
        self._queue: list[tuple[Slot | None, bytes]] = []
        self._latest: dict[Slot, bytes] = {}

    def __len__(self) -> int:
        return len(self._queue) + len(self._latest)

    def reply(self, frame: bytes) -> None:
        """Add an answer to a request."""
        self._queue.append((None, frame))

    def offer(self, slot: Slot, frame: bytes) -> None:
        """Add data, or put it in place of older data of this slot while the client lags."""
        if not self._latest and len(self._queue) < self._capacity:
            self._queue.append((slot, frame))
            return
        if not self._latest:
            self._begin_lagging()
        self._put(slot, frame)

    def forget(self, slot: Slot) -> None:
        """Forget lagging data: the client has ended this subscription and is told so first."""
        self._latest.pop(slot, None)

    def take(self) -> list[bytes]:
        """Take everything: replies and older data first; a lagging outbox starts afresh."""
        taken = [frame for _, frame in self._queue]
        taken += self._latest.values()
        self._queue.clear()
        self._latest.clear()
        return taken

    def _begin_lagging(self) -> None:
        waiting, self._queue = self._queue, []
        for slot, frame in waiting:
            if slot is None:
                self._queue.append((slot, frame))
            else:
                self._put(slot, frame)

    def _put(self, slot: Slot, frame: bytes) -> None:
        if self._latest.pop(slot, None) is not None:
            self.conflated += 1
        self._latest[slot] = frame
