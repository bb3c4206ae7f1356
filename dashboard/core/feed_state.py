"""How feeds stand, as the page, `/api/health` and `/metrics` show it."""

from enum import StrEnum

import msgspec


class FeedState(StrEnum):
    """The states of a feed."""

    LIVE = "live"
    STALE = "stale"
    REPLAYED = "replayed"
    ENDED = "ended"
    FAILED = "failed"


FLOWING = frozenset({FeedState.LIVE, FeedState.REPLAYED})
"""Those in which what a feed said last is how things are."""


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed stands at one moment."""

    state: FeedState
    last_event_age_s: float | None
    events: int
    gaps: int
    skipped: int
