"""What a client of the live stream gets before it follows the events, read in bounded parts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dashboard.core.errors import ResumeError
from dashboard.core.model import Published
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Wants
from dashboard.protocols import live

PART_LOOKED_AT = 4096
"""Events of the ring that a part looks at, before it `chases`."""
PART_EVENTS = 512
"""Events that a part holds at most, before it `chases`."""


class Part(NamedTuple):
    """Some events, the oldest first; `skipped` counts those that newer ones stand in for.

    `reset` says why it could not go on where it was, and begins anew. After the `last` part
    nothing is missing but what is published from then on.
    """

    events: Sequence[Published]
    skipped: int = 0
    reset: str | None = None
    last: bool = False


class Backlog:
    """Some values, and what has come since they held; or what was missed since an id.

    `values` come first, and hold at the id `since`. Of what came after it, parts have every
    trade, and of all else what is the newest of its topic by then. Once an id cannot be
    resumed from, all begins anew with the `latest` values.

    `chases` says that all there was when it was made is read: what is left has come since, and
    in any wait for the client, or for others' parts, more may come than a part holds. So do not
    wait for the client any more; and each part is twice as large as the one before.
    """

    def __init__(
        self,
        hub: Hub,
        wants: Wants,
        *,
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
                reset = error.reason
                self._values = self._latest()
                self._since = self._hub.newest_id
        holds = self._size * PART_EVENTS
        part, self._values = self._values[:holds], self._values[holds:]
        self.chases = self.chases or not self._values
        last = not self._values and self._since == self._hub.newest_id
        return Part(part, reset=reset, last=last)

    def _missed(self) -> Part:
        looks_at, holds = self._size * PART_LOOKED_AT, self._size * PART_EVENTS
        found = self._hub.after(self._since, looks_at, live.CHANNELS)
        events: list[Published] = []
        looked_at = skipped = 0
        for each in found:
            looked_at += 1
            if not self._wants(each.topic):
                continue
            if not self._is_due(each):
                skipped += 1
                continue
            events.append(each)
            if len(events) == holds:
                break
        if looked_at:
            newest = found[looked_at - 1]
            self._since = self._hub.event_id(newest)
            self.chases = self.chases or newest.offset >= self._made_at
        return Part(events, skipped, last=looked_at == len(found) < looks_at)

    def _is_due(self, published: Published) -> bool:
        return not published.event.conflatable or self._hub.latest_of(published.topic) is published
