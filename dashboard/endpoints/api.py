"""The routes that are mounted beside the page."""

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboard.bootstrap import services
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.exports import export
from dashboard.endpoints.health import health_of
from dashboard.endpoints.live_socket import serve_live
from dashboard.endpoints.metrics import create_registry


def create_api(connections: Connections) -> Starlette:
    """Build the API; its WebSocket clients take their places in `connections`."""
    registry = create_registry(connections)

    async def live(socket: WebSocket) -> None:
        await serve_live(socket, services(), connections)

    async def health(_request: Request) -> Response:
        body = msgspec.json.encode(health_of(services()))
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            WebSocketRoute("/ws", live),
            Route("/api/health", health),
            Route("/api/export/{name:path}", export),
            Route("/metrics", metrics),
        ]
    )
