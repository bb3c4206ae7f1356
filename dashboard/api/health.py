"""`GET /api/health`: how the product is doing, in one JSON object."""

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboard.api.running import Running
from dashboard.commands.trading import EngineStatus, TellEngine
from dashboard.core.errors import LivetapeError
from dashboard.core.feed_state import FeedState, FeedStatus
from dashboard.core.principal import LOCAL

SOUND = frozenset({FeedState.LIVE, FeedState.REPLAYED, FeedState.ENDED})


class FeedHealth(TypedDict):
    """How a feed stands; `last_event_age_s` is null before its first event."""

    state: FeedState
    last_event_age_s: float | None
    events: int
    gaps: int
    skipped: int


class HealthAnswer(TypedDict):
    """How the product does: degraded when a feed is stale or failed, or runners cannot run.

    A runner is healthy when it runs, its feed is not stale, and its last call had no error.
    `sandbox_lacks` names what this system does not have of what strategies are kept in with.
    """

    status: Literal["ok", "degraded"]
    version: str
    uptime_s: float
    feeds: Mapping[str, FeedHealth]
    runners_count: int
    healthy_runners: int
    sandbox_lacks: Sequence[str]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The same, as it is written."""

    status: Literal["ok", "degraded"]
    version: str
    uptime_s: float
    feeds: Mapping[str, FeedStatus]
    runners_count: int
    healthy_runners: int
    sandbox_lacks: Sequence[str]


router = APIRouter(tags=["health"])


@router.get("/health", response_model=HealthAnswer)
async def get_health(request: Request) -> Response:
    """Tell how the product does; degraded is 200 too."""
    body = msgspec.json.encode(await health_of(request.app.state.running))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


async def health_of(running: Running) -> Health:
    """Look at the running services."""
    feeds = running.feeds.status()
    sound = all(status.state in SOUND for status in feeds.values())
    try:
        engine = await running.commands.ask(TellEngine(), by=LOCAL)
    except LivetapeError:
        engine, sound = EngineStatus(runners=0, healthy=0), False
    return Health(
        status="ok" if sound else "degraded",
        version=running.version,
        uptime_s=round((time.monotonic_ns() - running.started_ns) / 1e9, 3),
        feeds=feeds,
        runners_count=engine.runners,
        healthy_runners=engine.healthy,
        sandbox_lacks=engine.sandbox_lacks,
    )
