"""The routes that answer single requests, mounted beside the page."""

from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.api.engine_gate import Rates
from dashboard.api.exports import Exports
from dashboard.api.rest import create_rest
from dashboard.api.running import Running


def api_routes(
    running: Running, places: Places, turns: Turns, rates: Rates, registry: CollectorRegistry
) -> list[BaseRoute]:
    """Make the routes; `registry` is what `/metrics` writes.

    Exports take their place among `places`, and what is long takes one of the `turns`; `rates`
    limit how often the trading engine may be asked.
    """
    exports = Exports(places)

    async def export(request: Request) -> ASGIApp:
        return partial(exports.serve, running, request.path_params["name"])

    async def metrics(_request: Request) -> Response:
        async with turns.one():
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/api/export/{name:path}", export),
        Mount("/api", create_rest(running, turns, rates)),
        Route("/metrics", metrics),
    ]
