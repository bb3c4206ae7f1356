"""The routes that answer single requests, mounted beside the page."""

from functools import partial

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.api.exports import Exports
from dashboard.api.health import health_of
from dashboard.api.rest import create_rest
from dashboard.api.running import Running


def api_routes(
    running: Running, places: Places, turns: Turns, registry: CollectorRegistry
) -> list[BaseRoute]:
    """Make the routes; `registry` is what `/metrics` writes.

    Exports take their place among `places`, and what is long takes one of the `turns`.
    """
    exports = Exports(places)

    async def export(request: Request) -> ASGIApp:
        return partial(exports.serve, running, request.path_params["name"])

    async def health(_request: Request) -> Response:
        body = msgspec.json.encode(health_of(running))
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        async with turns.one():
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/api/health", health),
        Route("/api/export/{name:path}", export),
        Mount("/api", create_rest(running, turns)),
        Route("/metrics", metrics),
    ]
