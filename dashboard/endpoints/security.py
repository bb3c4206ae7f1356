"""Who may in: Host and Origin are checked before any route sees a request.

The Host check stops DNS rebinding, the Origin check stops a foreign web page
from using a visitor's browser; programs send no Origin and are let through.
"""

from collections.abc import Collection

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

log = structlog.get_logger(__name__)

POLICY_VIOLATION = 1008


class Guard:
    """ASGI middleware around the whole application, the page's own socket included."""

    def __init__(
        self, app: ASGIApp, *, allowed_hosts: Collection[str], allowed_origins: Collection[str]
    ) -> None:
        self._app = app
        self._hosts = frozenset(allowed_hosts)
        self._origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 (a WebSocket: before it is accepted)."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        problem = self.problem_with(Headers(scope=scope))
        if problem is None:
            await self._app(scope, receive, send)
            return
        log.warning("request refused", path=scope["path"], problem=problem)
        if scope["type"] == "websocket":
            await WebSocketClose(code=POLICY_VIOLATION, reason=problem)(scope, receive, send)
        else:
            await PlainTextResponse(problem + "\n", status_code=403)(scope, receive, send)

    def problem_with(self, headers: Headers) -> str | None:
        """Name what is wrong with the Host or the Origin, or give None."""
        return problem_with(headers, hosts=self._hosts, origins=self._origins)


def problem_with(
    headers: Headers, *, hosts: Collection[str], origins: Collection[str]
) -> str | None:
    """Name what is wrong with a request's Host or Origin, or give None.

    Allowed are these `hosts`, without port, and besides a request's own host these `origins`.
    """
    shown = headers.getlist("host")
    host = shown[0].lower() if len(shown) == 1 else ""
    if _without_port(host) not in hosts:
        return f"Host {', '.join(shown)[:100]!r} is not allowed (DASHBOARD_ALLOWED_HOSTS)"
    origin = headers.get("origin")
    if origin is None:
        return None
    origin = origin.lower()
    same = origin in {f"http://{host}", f"https://{host}"}
    if same or origin in origins:
        return None
    return f"Origin {origin[:100]!r} is not allowed (DASHBOARD_ALLOWED_ORIGINS)"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
