"""The streams that are mounted beside the page."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.core.errors import CommandError
from dashboard.core.leases import WHOLE_BOOK
from dashboard.streaming.event_stream import EventStreams, last_event_id
from dashboard.streaming.product import StreamedProduct
from dashboard.streaming.selections import Selection, account_selection, instrument_selection
from dashboard.streaming.server import StreamServer


def stream_routes(
    running: StreamedProduct, places: Places, turns: Turns, server: StreamServer
) -> list[BaseRoute]:
    """Make the routes; clients of `/sse` take their places in `places`."""
    streams = EventStreams(places, turns=turns)

    async def instrument_events(request: Request) -> ASGIApp:
        name = request.path_params["name"]
        instrument = running.directory.find(name)
        if instrument is None:
            return PlainTextResponse(f"Instrument '{name}' not found", status_code=404)
        lease = running.leases.lease(instrument, name="sse", depth=WHOLE_BOOK)
        return leased(lease, stream(request, instrument_selection(instrument)))

    async def account_events(request: Request) -> ASGIApp:
        return stream(request, account_selection())

    def stream(request: Request, selection: Selection) -> ASGIApp:
        return partial(streams.serve, running.hub, selection, last_event_id(request))

    return [
        WebSocketRoute("/ws", server.serve_live),
        WebSocketRoute("/ws/openalgo", server.serve_openalgo),
        Route("/sse/pnl", account_events),
        Route("/sse/{name:path}", instrument_events),
    ]


def leased(lease: AbstractAsyncContextManager[None], stream: ASGIApp) -> ASGIApp:
    """Serve a stream for as long as it has its lease; who is refused is told why instead."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(lease)
            except CommandError as error:
                refusal = PlainTextResponse(
                    f"its feed does not deliver it: {error.problem}\n", status_code=503
                )
                await refusal(scope, receive, send)
            else:
                await stream(scope, receive, send)

    return serve
