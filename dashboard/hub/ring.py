"""What the hub remembers of each channel, for those who were away for a moment."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from heapq import merge
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple, cast

from dashboard.core.errors import TooOldError
from dashboard.core.model import Channel, Published

MB = 1024 * 1024
RESUME_BYTES = 256 * MB
WINDOW_NS = 60 * 1_000_000_000
FORGET_NS = 1_000_000_000
"""How often channels in which nothing happens forget what is too old."""
COMPACTED = 1024
"""So many places of forgotten events, and more than half of all, are given back at once."""

_FORGOTTEN = cast("Published", None)
_offset = attrgetter("offset")


class Bounds(NamedTuple):
    """How many events a ring holds at most, and how many bytes they may weigh."""

    events: int
    bytes: int


FIXED_BOUNDS = {
    # a minute of 500 clients whose positions and PnL change every second
    Channel.ACCOUNTS: Bounds(60_000, 64 * MB),
    # there may be 10,000 a second: enough to connect again, not a minute of them
    Channel.RUNNERS: Bounds(20_000, 32 * MB),
    # few, and some of them long
    Channel.SUMMARY: Bounds(1_000, 16 * MB),
    # a few a second
    Channel.STATUS: Bounds(1_000, 4 * MB),
}
"""Of the channels but the market's, whose bounds are settings."""


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

    @property
    def newest(self) -> Published | None:
        """Give the newest event, if it is held."""
        return self._events[-1] if len(self) else None

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

    def begin_anew(self, *, after: int) -> None:
        """Forget all: what comes next has an offset beyond `after`."""
        while len(self):
            self._forget_oldest()
        self.forgotten = after

    def _forget_oldest(self) -> None:
        oldest = self._events[self._start]
        self._events[self._start] = _FORGOTTEN
        self._start += 1
        self.weight -= oldest.weight
        oldest.weight = 0
        self.forgotten = oldest.offset


class Rings:
    """The rings of all channels; offsets rise over all of them together.

    `due_ns` is the moment, by the monotonic clock, from which `forget` is due.
    """

    def __init__(self, *, market: Bounds) -> None:
        bounds = {Channel.MARKET: market, **FIXED_BOUNDS}
        self.due_ns = 0
        self.by_channel: Mapping[Channel, Ring] = MappingProxyType(
            {channel: Ring(bounds[channel]) for channel in Channel}
        )

    def after(self, offset: int, channels: Collection[Channel]) -> Iterator[Published]:
        """Iterate over the events of some channels after an offset; add nothing meanwhile.

        Raises:
            TooOldError: when one of these channels has forgotten any of them.
        """
        rings = [self.by_channel[channel] for channel in channels]
        if any(offset < ring.forgotten for ring in rings):
            raise TooOldError
        return merge(*(ring.after(offset) for ring in rings), key=_offset)

    def merged(self, channels: Collection[Channel]) -> Iterator[Published]:
        """Iterate over all that is kept of some channels, oldest first; add nothing meanwhile."""
        return merge(*(self.by_channel[channel] for channel in channels), key=_offset)

    def forget(self, *, now_ns: int) -> None:
        """Let every channel forget what is too old, also where nothing happens."""
        self.due_ns = now_ns + FORGET_NS
        for ring in self.by_channel.values():
            ring.forget(before_ns=now_ns - WINDOW_NS)

    def begin_anew(self, *, after: int) -> None:
        """Forget all: what comes next has an offset beyond `after`."""
        for ring in self.by_channel.values():
            ring.begin_anew(after=after)
