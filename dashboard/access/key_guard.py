"""Who may in, second part: from elsewhere a request needs an API key.

Beside `security.Guard`, which looks at Host and Origin first. Health is open, so
that monitors need no key; so are CORS preflights, which cannot show one, and
`/ws/openalgo`, whose protocol asks for a key itself, from wherever one comes.
"""

from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from dashboard.access.credentials import (
    client_address,
    is_local,
    shown_key,
    shown_session,
    without_credentials,
)
from dashboard.access.sign_in import SIGN_IN_PATH, SignIn, sign_in_page
from dashboard.config import RequireKey
from dashboard.core.errors import StorageError
from dashboard.storage.api_keys import ApiKeys

log = structlog.get_logger(__name__)

OPEN_PATHS = frozenset({"/api/health", "/ws/openalgo"})
NEEDS_KEY = (
    "an API key is needed: send 'Authorization: Bearer KEY', or for WebSocket and /sse/ add"
    " ?api_key=KEY (make one with: python -m dashboard.keys create NAME)"
)
WRONG_KEY = "this API key does not hold: unknown, revoked, or without the scope 'stream'"
TOO_MANY = "too many wrong API keys from this address; try again in {} s"
UNAVAILABLE = "API keys cannot be checked at the moment"


class KeyCheck:
    """Tell which requests have to show a key, and whether they do.

    `required` is the settings' `key_rule`: with `auto`, requests that come from this
    machine through no proxy need no key. `keys` gives the running product's keys.
    """

    def __init__(self, *, required: RequireKey, keys: Callable[[], ApiKeys]) -> None:
        self._required = required
        self._keys = keys

    def needs_key(self, scope: Scope) -> bool:
        """Tell whether this request has to show a key."""
        if self._required == "never" or scope["path"] in OPEN_PATHS:
            return False
        if self._required == "auto" and is_local(scope):
            return False
        preflight = "access-control-request-method" in Headers(scope=scope)
        return not (preflight and scope.get("method") == "OPTIONS")

    async def refusal(self, scope: Scope) -> Response | None:
        """Give the answer to a request that may not pass, or None when it may.

        Raises:
            StorageError: when the database does not answer.
        """
        if not self.needs_key(scope):
            return None
        key = shown_key(scope)
        if key is not None:
            return await self._refusal_of(key, client_address(scope))
        token = shown_session(scope)
        if token is not None and await self._keys().session(token) is not None:
            return None
        if _is_page(scope):
            return sign_in_page(scope["path"])
        return _text(NEEDS_KEY, 401)

    async def _refusal_of(self, key: str, address: str) -> Response | None:
        if await self._keys().authenticate(key, address=address) is not None:
            return None
        if wait_s := self._keys().retry_after_s(address, key):
            return _text(TOO_MANY.format(wait_s), 429, {"Retry-After": str(wait_s)})
        log.warning("API key refused", address=address)  # so not for every one of a flood
        return _text(WRONG_KEY, 401)


class KeyGuard:
    """ASGI middleware around the whole application, the page's own socket included.

    What a request shows goes no further than here. For the rest see `KeyCheck`.
    """

    def __init__(self, app: ASGIApp, *, required: RequireKey, keys: Callable[[], ApiKeys]) -> None:
        self._app = app
        self._keys = keys
        self._check = KeyCheck(required=required, keys=keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it (a WebSocket: before it is accepted)."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            refusal = await self._refusal(scope, receive)
        except StorageError:  # which is in the log already, once for all who ask meanwhile
            refusal = _text(UNAVAILABLE, 503)
        if refusal is None:
            await self._app(without_credentials(scope), receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await _refuse_socket(refusal, scope, receive, send)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        signs_in = scope["type"] == "http" and scope["path"] == SIGN_IN_PATH
        if signs_in and self._check.needs_key(scope):
            return await SignIn(self._keys()).answer(Request(scope, receive))
        return await self._check.refusal(scope)


async def problem_with_key(check: KeyCheck, scope: Scope) -> str | None:
    """Say in one line why a handshake may not pass, or give None when it may."""
    try:
        refusal = await check.refusal(scope)
    except StorageError:
        return UNAVAILABLE
    return None if refusal is None else bytes(refusal.body).decode().strip()


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _text(problem: str, status: int, headers: dict[str, str] | None = None) -> Response:
    added = {"Cache-Control": "no-store"} | (headers or {})
    if status == 401:
        added["WWW-Authenticate"] = "Bearer"
    return PlainTextResponse(problem + "\n", status_code=status, headers=added)


async def _refuse_socket(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake with the refusal where the server can, or else close it."""
    socket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await socket.send_denial_response(refusal)
    else:
        await socket.close(1008, bytes(refusal.body).decode().strip()[:120])
