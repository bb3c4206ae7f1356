"""The routes that are mounted beside the page."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboard.bootstrap import services
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.live_socket import serve_live


def create_api(connections: Connections) -> Starlette:
    """Build the API; its connections take their places in `connections`."""

    async def live(socket: WebSocket) -> None:
        await serve_live(socket, services(), connections)

    return Starlette(routes=[WebSocketRoute("/ws", live)])
