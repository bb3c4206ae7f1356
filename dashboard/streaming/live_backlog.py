"""What a client of the live stream gets before it follows the events, read in bounded parts."""

from collections.abc import Callable, Collection, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from dashboard.core.errors import ResumeError, TooOldError
from dashboard.core.model import Channel, Published
from dashboard.hub.hub import Hub

PART_LOOKED_AT = 4096
"""Events of the rings that a part looks at, before it `chases`."""
PART_EVENTS = 512
"""Events that a part holds at most, before it `chases`."""

_offset = attrgetter("offset")


class Reset(NamedTuple):
    """Why something could not go on where it was: these channels, or all where it names none."""

    reason: str
    channels: Collection[Channel] = ()


class Part(NamedTuple):
    """Some events, the oldest first; `skipped` counts those that newer ones stand in for.

    `reset` says what could not go on where it was, and begins anew. After the `last` part
    nothing is missing but what is published from then on.
    """

    events: Sequence[Published]
    skipped: int = 0
    reset: Reset | None = None
    last: bool = False


class Backlog:
    """Some values, and what has come since they held; or what was missed since an id.

    `values` come first, and hold at the id `since`. Of what came after it in the `channels`,
    parts have every trade and all that runners told, and of all else what is the newest of its
    topic by then. Once a channel cannot be resumed from an id, it begins anew with its `latest`
    values, in the order of all others; with the id itself, all begins so.

    `chases` says that all there was when it was made is read: what is left has come since, and
    in any wait for the client, or for others' parts, more may come than a part holds. So do not
    wait for the client any more; and each part is twice as large as the one before.
    """

    def __init__(
        self,
        hub: Hub,
        wants: Callable[[Published], bool],
        *,
        channels: Collection[Channel],
        since: str,
        values: Sequence[Published] = (),
        latest: Callable[[], Sequence[Published]],
    ) -> None:
        self._hub = hub
        self._wants = wants
        self._since = since
        self._values = values
        self._latest = latest
        self._made_at = hub.published
        self._size = 1
        self._begins = dict.fromkeys(channels, 0)
        """The offset after which each channel is read, where `since` is not further."""
        self._anew: Sequence[Published] = ()
        """The latest values of those that began anew, as far as they are not read."""
        self.chases = False

    @property
    def ahead(self) -> int:
        """Tell how many events the next part has at most, unless more come until it is read."""
        if self._values:
            return min(len(self._values), self._size * PART_EVENTS)
        return 0 if self._since == self._hub.newest_id else self._size * PART_EVENTS

    def read(self) -> Part:
        """Read the next part; follow the last one without a wait."""
        part = self._read()
        if self.chases:
            self._size *= 2
        return part

    def _read(self) -> Part:
        reset = None
        if not self._values:
            try:
                return self._missed()
            except ResumeError as error:
                reset = Reset(error.reason)
                self._begin_anew()
        holds = self._size * PART_EVENTS
        part, self._values = self._values[:holds], self._values[holds:]
        self.chases = self.chases or not self._values
        last = not self._values and self._since == self._hub.newest_id
        return Part(part, reset=reset, last=last)

    def _begin_anew(self) -> None:
        self._values, self._anew = self._latest(), ()
        self._since = self._hub.newest_id
        self._begins = dict.fromkeys(self._begins, 0)

    def _missed(self) -> Part:
        looks_at, holds = self._size * PART_LOOKED_AT, self._size * PART_EVENTS
        found, reset = self._find(looks_at)
        events: list[Published] = []
        looked_at = skipped = 0
        for each in found:
            looked_at += 1
            if not self._wants(each):
                continue
            if not self._is_due(each):
                skipped += 1
                continue
            events.append(each)
            if len(events) == holds:
                break
        if looked_at:
            self._look_on_after(found[looked_at - 1])
        return Part(events, skipped, reset, last=looked_at == len(found) < looks_at)

    def _find(self, count: int) -> tuple[list[Published], Reset | None]:
        """Give what comes next, and what had to begin anew for it.

        Raises:
            ResumeError: when nothing can be resumed.
        """
        found: list[Sequence[Published]] = []
        too_old: set[Channel] = set()
        for channel in self._begins:
            try:
                found.append(self._hub.after(self._begin_of(channel), count, {channel}))
            except TooOldError:
                too_old.add(channel)
        if too_old and too_old == self._begins.keys():
            raise TooOldError
        reset = None
        if too_old:
            reset = Reset(TooOldError().reason, too_old)
            self._begins |= dict.fromkeys(too_old, self._hub.published)
            kept = [each for each in self._anew if each.topic.kind.channel not in too_old]
            latest = [each for each in self._latest() if each.topic.kind.channel in too_old]
            self._anew = sorted([*kept, *latest], key=_offset)
        return list(islice(merge(self._anew, *found, key=_offset), count)), reset

    def _begin_of(self, channel: Channel) -> str:
        """Give the id after which a channel is to be read."""
        begin = self._begins[channel]
        epoch, _, number = self._since.rpartition(":")
        return f"{epoch}:{begin}" if begin and begin > int(number) else self._since

    def _look_on_after(self, newest: Published) -> None:
        """Take note of what was looked at; values of a channel that began anew may be older."""
        self._anew = [each for each in self._anew if each.offset > newest.offset]
        if newest.offset > int(self._since.rpartition(":")[2]):
            self._since = self._hub.event_id(newest)
        self.chases = self.chases or newest.offset >= self._made_at

    def _is_due(self, published: Published) -> bool:
        if not published.event.conflatable or published.topic.kind.channel is Channel.RUNNERS:
            return True
        return self._hub.latest_of(published.topic) is published
