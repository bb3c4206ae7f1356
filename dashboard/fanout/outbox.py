"""What waits to be sent to one client, and what happens when it does not read.

The policy is CONFLATE: a client that lags gets the newest frame of each slot,
not a history that is no longer true.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter

from dashboard.core.conflation import Buffer, Kept, OverflowPolicy, Slot

CAPACITY = 1000
CAPACITY_BYTES = 4 * 1024 * 1024
"""What has come to one who lags, before it is conflated however few frames it is."""

Entry = tuple[Slot, bytes]
Notice = Callable[[int, int, int], bytes]
"""Writes the frame that tells a client how many were conflated, and how many trades and how many
events of runners were lost."""


class Outbox:
    """Hold the frames of one client in order: `capacity` of them or 4 MiB, then one per slot.

    Counters only rise: `conflated` (replaced by a newer one) and `lost` (forgotten).
    With a `notice`, what is taken begins with what was not delivered since the last one.
    """

    def __init__(self, *, capacity: int = CAPACITY, notice: Notice | None = None) -> None:
        self._buffer: Buffer[Entry] = Buffer(
            name="outbox",
            capacity=capacity,
            policy=OverflowPolicy.CONFLATE,
            slot_of=itemgetter(0),
        )
        self._notice = notice
        self._told = (0, 0, 0)
        self._bytes = 0

    @property
    def conflated(self) -> int:
        """Count the frames replaced by newer ones so far."""
        return self._buffer.conflated

    @property
    def lost(self) -> int:
        """Count the frames forgotten so far."""
        return self._buffer.lost

    def __len__(self) -> int:
        return len(self._buffer)

    def add(self, entries: Iterable[Entry]) -> None:
        """Add frames for one who reads: they are taken at once, so there is no limit."""
        self._buffer.add(entries)

    def reply(self, frame: bytes) -> None:
        """Add an answer to a request."""
        self._buffer.add(((Kept.REPLY, frame),))

    def offer(self, entries: Iterable[Entry]) -> None:
        """Add frames for one who lags: beyond the capacity they are conflated."""
        for entry in entries:
            self._bytes += len(entry[1])
            if self._bytes > CAPACITY_BYTES:
                self._buffer.lag()
            self._buffer.offer(entry)

    def forget(self, slot: Slot) -> None:
        """Forget conflated data: the client has ended this subscription."""
        self._buffer.forget(slot)

    def take(self) -> list[bytes]:
        """Take everything, oldest first; a lagging outbox starts afresh."""
        frames = [frame for _, frame in self._buffer.take()]
        self._bytes = 0
        events = self._buffer.lost_events
        missed = (self.conflated, self.lost - events, events)
        if self._notice is not None and missed != self._told:
            new = (now - told for now, told in zip(missed, self._told, strict=True))
            self._told = missed
            frames.insert(0, self._notice(*new))
        return frames
