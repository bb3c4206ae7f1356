"""What the hub remembers of one channel, for those who were away for a moment."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple, cast

from dashboard.core.model import Published

WINDOW_NS = 60 * 1_000_000_000
COMPACTED = 1024
"""So many places of forgotten events, and more than half of all, are given back at once."""

_FORGOTTEN = cast("Published", None)
_offset = attrgetter("offset")


class Bounds(NamedTuple):
    """How many events a ring holds at most, and how many bytes they may weigh."""

    events: int
    bytes: int


class Ring:
    """The latest events of one channel, oldest first, in the order of their offsets.

    They are at most a minute old by the monotonic clock, and within `bounds`. `added`
    counts all so far, `weight` estimates the bytes that those held take with the frames
    made of them. `forgotten` is the offset of the last one that is held no more: who has
    seen that one has missed nothing that cannot be given.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.added = 0
        self.weight = 0
        self.forgotten = 0
        self._max_events, self._max_bytes = bounds
        self._events: list[Published] = []
        self._start = 0

    def __len__(self) -> int:
        return len(self._events) - self._start

    def __iter__(self) -> Iterator[Published]:
        return self.after(0)

    def add(self, published: Published) -> None:
        """Take in the newest event; forget what no longer fits."""
        events, start = self._events, self._start
        events.append(published)
        self.added += 1
        weight = self.weight + published.weight
        before_ns = published.monotonic_ns - WINDOW_NS
        oldest = events[start]
        while (
            weight > self._max_bytes
            or len(events) - start > self._max_events
            or oldest.monotonic_ns < before_ns
        ):
            weight -= oldest.weight
            oldest.weight = 0
            self.forgotten = oldest.offset
            events[start] = _FORGOTTEN
            start += 1
            if start == len(events):
                break
            oldest = events[start]
        if start >= COMPACTED and start > len(events) - start:
            del events[:start]
            start = 0
        self._start = start
        self.weight = weight

    def after(self, offset: int) -> Iterator[Published]:
        """Iterate over the events after an offset; add nothing meanwhile."""
        events = self._events
        first = bisect_right(events, offset, lo=self._start, key=_offset)
        return map(events.__getitem__, range(first, len(events)))

    def grow(self, published: Published, weight: int) -> None:
        """Count what was added to an event, as long as it is held; forget what no longer fits."""
        if published.weight:
            published.weight += weight
            self.weight += weight
            while self.weight > self._max_bytes:
                self._forget_oldest()

    def forget(self, *, before_ns: int) -> None:
        """Forget what came before a moment of the monotonic clock."""
        while len(self) and self._events[self._start].monotonic_ns < before_ns:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._events[self._start]
        self._events[self._start] = _FORGOTTEN
        self._start += 1
        self.weight -= oldest.weight
        oldest.weight = 0
        self.forgotten = oldest.offset
