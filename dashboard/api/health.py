"""`GET /api/health`: how the product is doing, in one JSON object."""

import time
from typing import Literal

import msgspec

from dashboard.bootstrap import Services
from dashboard.core.feed_state import FeedState, FeedStatus

SOUND = frozenset({FeedState.LIVE, FeedState.REPLAYED, FeedState.ENDED})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is "degraded" when a feed is stale or failed; `uptime_s` in seconds."""

    status: Literal["ok", "degraded"]
    version: str
    uptime_s: float
    feeds: dict[str, FeedStatus]


def health_of(running: Services) -> Health:
    """Look at the running services."""
    feeds = running.supervisor.status()
    sound = all(status.state in SOUND for status in feeds.values())
    return Health(
        status="ok" if sound else "degraded",
        version=running.version,
        uptime_s=round((time.monotonic_ns() - running.started_ns) / 1e9, 3),
        feeds=feeds,
    )
