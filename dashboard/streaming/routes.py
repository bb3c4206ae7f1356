"""The streams that are mounted beside the page."""

from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.core.leases import WHOLE_BOOK
from dashboard.hub.served import Served
from dashboard.streaming.event_stream import EventStreams, last_event_id
from dashboard.streaming.selections import Selection, account_selection, instrument_selection
from dashboard.streaming.server import StreamServer


def stream_routes(
    running: Served, places: Places, turns: Turns, server: StreamServer
) -> list[BaseRoute]:
    """Make the routes; clients of `/sse` take their places in `places`."""
    streams = EventStreams(places, turns=turns)

    async def instrument_events(request: Request) -> ASGIApp:
        name = request.path_params["name"]
        instrument = running.directory.find(name)
        if instrument is None:
            return PlainTextResponse(f"Instrument '{name}' not found", status_code=404)
        lease = running.leases.lease(instrument, name="sse", depth=WHOLE_BOOK)
        return stream(request, instrument_selection(instrument), lease)

    async def account_events(request: Request) -> ASGIApp:
        return stream(request, account_selection(), nullcontext())

    def stream(
        request: Request, selection: Selection, lease: AbstractAsyncContextManager[None]
    ) -> ASGIApp:
        since = last_event_id(request)
        return partial(streams.serve, running.hub, selection, since, lease)

    return [
        WebSocketRoute("/ws", server.serve_live),
        WebSocketRoute("/ws/events", server.serve_events),
        WebSocketRoute("/ws/openalgo", server.serve_openalgo),
        Route("/sse/pnl", account_events),
        Route("/sse/{name:path}", instrument_events),
    ]
