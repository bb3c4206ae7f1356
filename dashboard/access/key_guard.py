"""Who may in, second part: from elsewhere a request needs an API key.

Beside `origins.Guard`, which looks at Host and Origin first. Health is open, so
that monitors need no key; so are the font of the sign-in, CORS preflights, which cannot
show one, and `/ws/openalgo`, whose protocol asks for a key itself, from wherever one comes.
"""

import contextlib
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from dashboard.access.credentials import (
    client_address,
    is_local,
    shown_key,
    shown_session,
    without_credentials,
)
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.principals import PRINCIPAL
from dashboard.access.refusals import refusal
from dashboard.access.revocable import RevocableRequest
from dashboard.access.sign_in import FONT_PATH, SIGN_IN_PATH, SignIn, sign_in_page
from dashboard.access.sign_out import SIGN_OUT_PATH, sign_out
from dashboard.config import RequireKey
from dashboard.core.errors import StorageError
from dashboard.core.principal import LOCAL, NOBODY, STRANGER, Principal
from dashboard.storage.api_keys import ApiKeys

log = structlog.get_logger(__name__)

OPEN_PATHS = frozenset({"/api/health", "/ws/openalgo", FONT_PATH})
NEEDS_KEY = (
    "an API key is needed: send 'Authorization: Bearer KEY', or for WebSocket and /sse/ add"
    " ?api_key=KEY (make one with: python -m dashboard.keys create NAME)"
)
WRONG_KEY = "this API key does not hold: unknown, revoked, or without the scope 'stream'"
TOO_MANY = "too many wrong API keys from this address; try again in {} s"
UNAVAILABLE = "API keys cannot be checked at the moment"


class KeyCheck:
    """Tell which requests have to show a key, and who each is from.

    `required` is the settings' `key_rule`: with `auto`, requests that come from this
    machine through no proxy need no key. `keys` gives the running product's keys.
    """

    def __init__(self, *, required: RequireKey, keys: Callable[[], ApiKeys]) -> None:
        self._required = required
        self._keys = keys

    def needs_key(self, scope: Scope) -> bool:
        """Tell whether this request has to show a key."""
        if self._required == "never" or scope["path"] in OPEN_PATHS or self._is_local(scope):
            return False
        preflight = "access-control-request-method" in Headers(scope=scope)
        return not (preflight and scope.get("method") == "OPTIONS")

    async def look(self, scope: Scope) -> Principal | Response:
        """Tell who a request is from, or give the answer to one that may not pass.

        Who needs no key and shows one that holds is known by it all the same.

        Raises:
            StorageError: when a key is needed and the database does not answer.
        """
        if self.needs_key(scope):
            return await self._shown(scope) or self._refusal(scope)
        found = None
        with contextlib.suppress(StorageError):
            found = await self._shown(scope)
        if self._is_local(scope):
            return LOCAL if found is None else found.as_local
        return found or (STRANGER if self._required == "never" else NOBODY)

    async def _shown(self, scope: Scope) -> Principal | None:
        """Find who shows a key or a page session that holds.

        Raises:
            StorageError: when the database does not answer.
        """
        if (key := shown_key(scope)) is not None:
            return await self._keys().authenticate(key, address=client_address(scope))
        if (token := shown_session(scope)) is not None:
            return await self._keys().session(token)
        return None

    def _refusal(self, scope: Scope) -> Response:
        key, address = shown_key(scope), client_address(scope)
        if key is None and _is_page(scope):
            return sign_in_page(scope["path"])
        if key is None:
            return _refused(scope, NEEDS_KEY, 401)
        if wait_s := self._keys().retry_after_s(address, key):
            later = {"Retry-After": str(wait_s)}
            return _refused(scope, TOO_MANY.format(wait_s), 429, later)
        log.warning("API key refused", address=address)  # so not for every one of a flood
        return _refused(scope, WRONG_KEY, 401)

    def _is_local(self, scope: Scope) -> bool:
        return self._required != "always" and is_local(scope)


class KeyGuard:
    """ASGI middleware around the whole application, the page's own socket included.

    What a request shows goes no further than here, and no request outlives its key: those that
    are open stand in `connections`. For the rest see `KeyCheck`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        required: RequireKey,
        keys: Callable[[], ApiKeys],
        connections: KeyedConnections,
    ) -> None:
        self._app = app
        self._connections = connections
        self._keys = keys
        self._check = KeyCheck(required=required, keys=keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with who it is from, or refuse it (a WebSocket: before it opens)."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            found = await self._look(scope, receive)
        except StorageError:  # which is in the log already, once for all who ask meanwhile
            found = _refused(scope, UNAVAILABLE, 503)
        if isinstance(found, Principal):
            await self._serve(found, without_credentials(scope), receive, send)
        elif scope["type"] == "http":
            await found(scope, receive, send)
        else:
            await _refuse_socket(found, scope, receive, send)

    async def _serve(
        self, principal: Principal, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope = {**scope, PRINCIPAL: principal}
        if principal.key_id is None:
            await self._app(scope, receive, send)
            return
        request = RevocableRequest(scope, receive, send)
        self._connections.enter(request, principal, request.revoke)
        try:
            await request.serve(self._app)
        finally:
            self._connections.leave(request)

    async def _look(self, scope: Scope, receive: Receive) -> Principal | Response:
        if scope["type"] == "http" and scope["path"] == SIGN_IN_PATH:
            return await SignIn(self._keys()).answer(Request(scope, receive))
        if scope["type"] == "http" and scope["path"] == SIGN_OUT_PATH:
            return await sign_out(Request(scope, receive), self._keys(), self._connections)
        return await self._check.look(scope)


async def problem_with_key(check: KeyCheck, scope: Scope) -> str | None:
    """Write into a handshake's scope who it is from, or say in one line why it may not pass."""
    try:
        found = await check.look(scope)
    except StorageError:
        return UNAVAILABLE
    if isinstance(found, Principal):
        scope[PRINCIPAL] = found
        return None
    return bytes(found.body).decode().strip()


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _refused(
    scope: Scope, problem: str, status: int, headers: dict[str, str] | None = None
) -> Response:
    added = {"Cache-Control": "no-store"} | (headers or {})
    if status == 401:
        added["WWW-Authenticate"] = "Bearer"
    return refusal(scope, problem, status, added)


async def _refuse_socket(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake with the refusal where the server can, or else close it."""
    socket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await socket.send_denial_response(refusal)
    else:
        await socket.close(1008, bytes(refusal.body).decode().strip()[:120])
