"""What an event stream sends before the live events, read in bounded parts."""

from typing import NamedTuple

from dashboard.core.errors import ResumeError
from dashboard.hub.hub import Hub
from dashboard.protocols import sse
from dashboard.streaming.selections import Selection

PART_LOOKED_AT = 4096
"""Events that a part looks at: most are of other instruments, and cost little."""
PART_EVENTS = 512
"""Events that a part holds at most."""
PART_BYTES = 262_144
"""A part that has grown to so much ends."""


class Part(NamedTuple):
    """A part of what was missed, and the id to read on after; None when nothing is left."""

    body: bytes
    since: str | None


def read_part(hub: Hub, selection: Selection, since: str | None) -> Part:
    """Read what follows an id, or how all stands where there is none.

    An id that cannot be resumed from gives the notice of it, and how all stands.
    """
    if since is None:
        return _snapshot(hub, selection)
    try:
        found = hub.after(since, PART_LOOKED_AT, {selection.channel})
    except ResumeError as error:
        notice = sse.encode_reset(error.reason).encode()
        return Part(notice + _snapshot(hub, selection).body, None)
    frames: list[str] = []
    size = 0
    for each in found:
        if selection.wants(each.topic) and sse.carries(each.event):
            frames.append(hub.frame(each, sse.DIALECT))
            size += len(frames[-1])
            if len(frames) == PART_EVENTS or size >= PART_BYTES:
                return Part("".join(frames).encode(), hub.event_id(each))
    left = len(found) == PART_LOOKED_AT
    return Part("".join(frames).encode(), hub.event_id(found[-1]) if left else None)


def _snapshot(hub: Hub, selection: Selection) -> Part:
    newest = [each for each in selection.latest(hub) if sse.carries(each.event)]
    return Part("".join(hub.frame(each, sse.DIALECT) for each in newest).encode(), None)
