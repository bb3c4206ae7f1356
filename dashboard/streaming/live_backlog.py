"""What a client of the live stream gets before it follows the events, read in bounded parts."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from dashboard.core.errors import ResumeError
from dashboard.core.model import Published
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Wants

PART_LOOKED_AT = 4096
"""Events of the ring that a part looks at."""
PART_EVENTS = 512
"""Events that a part holds at most."""


class Part(NamedTuple):
    """Some events, the oldest first; `looked_at` is what they cost to find.

    `reset` says why it could not go on where it was, and now begins anew. After the `last`
    part nothing is missing but what is published from then on.
    """

    events: Sequence[Published]
    looked_at: int
    reset: str | None = None
    last: bool = False


class Backlog:
    """The latest values, or what was missed since an id; and what has come since the last part.

    Of what was missed it gives every trade, and of all else what is the newest when its
    part is read. `latest` gives the values to begin with, oldest first; read the last part and
    follow the events without a wait between.
    """

    def __init__(
        self,
        hub: Hub,
        wants: Wants,
        *,
        latest: Callable[[], Sequence[Published]],
        since: str | None = None,
    ) -> None:
        self._hub = hub
        self._wants = wants
        self._latest = latest
        self._since = since
        self._values: Sequence[Published] | None = None
        """The latest values that are left to give; `_since` is the id that they are of."""

    def read(self) -> Part:
        """Read the next part."""
        reset = None
        if self._values is None:
            if self._since is not None:
                try:
                    return self._missed(self._since)
                except ResumeError as error:
                    reset = error.reason
            self._values = self._latest()
            self._since = f"{self._hub.epoch}:{self._hub.published}"
        part, self._values = self._values[:PART_EVENTS], self._values[PART_EVENTS:]
        last = not self._values and self._since == f"{self._hub.epoch}:{self._hub.published}"
        if not self._values:
            self._values = None
        return Part(part, len(part), reset=reset, last=last)

    def _missed(self, since: str) -> Part:
        found = self._hub.after(since, PART_LOOKED_AT)
        wanted = (
            (number, each) for number, each in enumerate(found, 1) if self._counts(each)
        )
        taken = list(islice(wanted, PART_EVENTS))
        looked_at = taken[-1][0] if len(taken) == PART_EVENTS else len(found)
        if looked_at:
            self._since = self._hub.event_id(found[looked_at - 1])
        last = looked_at == len(found) < PART_LOOKED_AT
        return Part([each for _, each in taken], looked_at, last=last)

    def _counts(self, published: Published) -> bool:
        if not self._wants(published.topic):
            return False
        return not published.event.conflatable or self._hub.latest_of(published.topic) is published
