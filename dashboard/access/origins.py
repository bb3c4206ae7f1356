"""Who may in: Host and Origin are checked before any route sees a request.

The Host check stops DNS rebinding, the Origin check stops a foreign web page
from using a visitor's browser; programs send no Origin and are let through. What
a foreign page embeds (an image, a script, a prefetch) has no Origin either: it is
told by Sec-Fetch-Site, which no script can change.
"""

from collections.abc import Collection

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from dashboard.access.refusals import refusal

log = structlog.get_logger(__name__)

POLICY_VIOLATION = 1008
MAX_LOGGED = 200
"""Characters of a path that a log line repeats."""
COSTLY_PATHS = ("/api/", "/sse/", "/metrics")
"""What no frame leads to."""
WINDOW = frozenset({"document"})
WINDOW_OR_FRAME = frozenset({"document", "iframe", "frame"})
"""Where a browser shows what a link leads to."""
EMBEDDED = "Nothing here may be embedded in a page of elsewhere (DASHBOARD_ALLOWED_ORIGINS)"


class Guard:
    """ASGI middleware around the whole application, the page's own socket included.

    With `framed` pages of elsewhere may ask for our pages in a frame; which of them
    may show one is for the page's own headers to say.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Collection[str],
        allowed_origins: Collection[str],
        framed: bool = False,
    ) -> None:
        self._app = app
        self._framed = framed
        self._hosts = frozenset(allowed_hosts)
        self._origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 (a WebSocket: before it is accepted)."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        framed = self._framed and not scope["path"].startswith(COSTLY_PATHS)
        problem = self.problem_with(Headers(scope=scope), framed=framed)
        if problem is None:
            await self._app(scope, receive, send)
            return
        log.warning("request refused", path=scope["path"][:MAX_LOGGED], problem=problem)
        if scope["type"] == "websocket":
            await WebSocketClose(code=POLICY_VIOLATION, reason=problem)(scope, receive, send)
        else:
            await refusal(scope, problem, 403)(scope, receive, send)

    def problem_with(self, headers: Headers, *, framed: bool = False) -> str | None:
        """Name what is wrong with where a request comes from, or give None."""
        return problem_with(headers, hosts=self._hosts, origins=self._origins, framed=framed)


def problem_with(
    headers: Headers, *, hosts: Collection[str], origins: Collection[str], framed: bool = False
) -> str | None:
    """Name what is wrong with a request's Host, Origin or Sec-Fetch-Site, or give None.

    Allowed are these `hosts`, without port, and besides a request's own host these `origins`.
    A link of elsewhere may lead to us, in a window or, where it is `framed`, in a frame.
    """
    shown = headers.getlist("host")
    host = shown[0].lower() if len(shown) == 1 else ""
    if _without_port(host) not in hosts:
        return f"Host {', '.join(shown)[:100]!r} is not allowed (DASHBOARD_ALLOWED_HOSTS)"
    origin = headers.get("origin")
    if origin is None:
        return None if _may_come(headers, WINDOW_OR_FRAME if framed else WINDOW) else EMBEDDED
    origin = origin.lower()
    same = origin in {f"http://{host}", f"https://{host}"}
    if same or origin in origins:
        return None
    return f"Origin {origin[:100]!r} is not allowed (DASHBOARD_ALLOWED_ORIGINS)"


def _may_come(headers: Headers, shown_in: Collection[str]) -> bool:
    """Tell whether a request without Origin is a program's, our own page's, or follows a link.

    A prefetch that a foreign page asks for looks like one of the address bar.
    """
    site = headers.get("sec-fetch-site", "none").lower()
    if site == "same-origin":
        return True
    if "prefetch" in headers.get("sec-purpose", "").lower():
        return False
    mode, dest = headers.get("sec-fetch-mode", ""), headers.get("sec-fetch-dest", "")
    return site == "none" or (mode.lower() == "navigate" and dest.lower() in shown_in)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
