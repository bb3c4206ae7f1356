"""The routes that are mounted beside the page."""

from functools import partial

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from dashboard.bootstrap import services
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.event_stream import (
    Channel,
    EventStreams,
    account_channel,
    instrument_channel,
    last_event_id,
)
from dashboard.endpoints.exports import Exports
from dashboard.endpoints.health import health_of
from dashboard.endpoints.live_socket import serve_live
from dashboard.endpoints.metrics import create_registry
from dashboard.endpoints.rest import create_rest
from dashboard.endpoints.stream_server import StreamServer
from dashboard.endpoints.turns import Turns


def create_api(connections: Connections, stream_server: StreamServer) -> Starlette:
    """Build the API; the clients of its streams take their places in `connections`."""
    registry = create_registry(connections, stream_server)
    turns = Turns()
    streams = EventStreams(connections, turns=turns)
    exports = Exports(connections)

    async def live(socket: WebSocket) -> None:
        await serve_live(socket, services(), connections)

    async def instrument_events(request: Request) -> ASGIApp:
        name = request.path_params["name"]
        instrument = await services().open(name)
        if instrument is None:
            return PlainTextResponse(f"Instrument '{name}' not found", status_code=404)
        return stream(request, instrument_channel(instrument))

    async def account_events(request: Request) -> ASGIApp:
        return stream(request, account_channel())

    def stream(request: Request, channel: Channel) -> ASGIApp:
        return partial(streams.serve, services().hub, channel, last_event_id(request))

    async def export(request: Request) -> ASGIApp:
        return partial(exports.serve, services(), request.path_params["name"])

    async def health(_request: Request) -> Response:
        body = msgspec.json.encode(health_of(services()))
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        async with turns.one():
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            WebSocketRoute("/ws", live),
            WebSocketRoute("/ws/openalgo", stream_server.serve),
            Route("/sse/pnl", account_events),
            Route("/sse/{name:path}", instrument_events),
            Route("/api/health", health),
            Route("/api/export/{name:path}", export),
            Mount("/api", create_rest(turns)),
            Route("/metrics", metrics),
        ]
    )
