"""What may come in on the pages' socket, and what is told of it in the log.

Reflex takes whatever a client sends: it looks up handlers that do not exist, logs the event with
the request's headers, and keeps values of any length in the state. So each event is looked at
first. A page of ours sends nothing that is refused here, so a refusal is no more than counted and
logged for debugging: else a client could fill the log.
"""

import asyncio
import re
import time
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import reflex as rx
import structlog
from reflex.app import EventNamespace
from reflex.state import FrontendEventExceptionState
from reflex_base.registry import RegistrationContext
from socketio.exceptions import ConnectionRefusedError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.principals import principal_of
from dashboard.core.errors import CommandError, PageEventError, ScopeError
from dashboard.core.principal import NOBODY, Principal

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 256 * 1024
"""Longest message; a longer one ends the connection."""
MAX_ARGUMENTS_BYTES = 8 * 1024
"""Longest arguments of an event, and longest value that a browser has stored for us."""
MAX_STORED = 10
"""So many values a browser has stored for us at most."""
MAX_ERROR_CHARACTERS = 2000
MAX_QUERY_CHARACTERS = 500
MAX_LINES = 20
LINES_S = 60.0
"""So many errors are logged in so many seconds, of all pages together."""
SOCKET_EVENTS = frozenset({"connect", "disconnect", "event", "ping", "client_error"})
"""What a page's socket.io client emits; Reflex would call any method whose name begins with on_."""
RELOADED_ON = re.compile(
    r"TypeError: (?:Cannot read properties of null|null is not an object"
    r'|can\'t access property "[^"\n]{0,100}"(?: of null|, [^\n]{0,100} is null))'
)
"""Errors on which Reflex lets a page load anew: Chrome's, Safari's, Firefox's. Its own patterns try
every way to split a text, which takes a tenth of a second and more for one made for it."""
PATH = "/_event"
UNACCEPTABLE = 1003
STORING_HANDLERS = frozenset({"hydrate_and_load", "update_vars_internal"})
"""They bring what the browser has stored, in `vars`: one value for each variable."""
ERROR_HANDLER = "handle_frontend_exception"
NOT_FOR_PAGES = frozenset({"hydrate", "set_is_hydrated", "setvar", "stream", "stream_curves"})
"""Handlers that the server begins by itself, or that Reflex has and our pages do not use."""


def admitted(event: object, handlers: Mapping[str, object]) -> dict[str, Any]:
    """Give an event as it may come in: its strings no longer than what is of use.

    `handlers` are those that exist, by their full names.

    Raises:
        PageEventError: when there is no such handler, or its arguments are too long.
    """
    if not isinstance(event, dict):
        raise PageEventError(problem="no event")
    name, payload = event.get("name"), event.get("payload") or {}
    if not isinstance(name, str) or name not in handlers:
        raise PageEventError(problem="unknown handler")
    kind = name.rpartition(".")[2]
    if kind in NOT_FOR_PAGES:
        raise PageEventError(problem="not for pages")
    if not isinstance(payload, dict):
        raise PageEventError(problem="no arguments")
    bound = MAX_ARGUMENTS_BYTES
    if kind in STORING_HANDLERS and isinstance(stored := payload.get("vars"), dict):
        kept = [pair for pair in stored.items() if _size(pair) <= MAX_ARGUMENTS_BYTES]
        payload = payload | {"vars": dict(kept[:MAX_STORED])}
        bound *= 1 + MAX_STORED
    elif kind == ERROR_HANDLER:
        payload = {key: str(value)[:MAX_ERROR_CHARACTERS] for key, value in payload.items()}
    if _size(payload) > bound or _size(event.get("router_data")) > MAX_ARGUMENTS_BYTES:
        raise PageEventError(problem="too long")
    return event | {"payload": payload}


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))


class PageSocket(EventNamespace):
    """Reflex's end of the pages' socket, behind a look at each event.

    `refused` counts what was not let in.
    """

    refused = 0

    def __init__(self, namespace: str, app: rx.App) -> None:
        super().__init__(namespace, app)
        self._principals: dict[str, Principal] = {}

    def principal(self, token: str) -> Principal:
        """Tell who the open page of a client token is; nobody, where there is none."""
        record = self._token_manager.token_to_socket.get(token)
        return NOBODY if record is None else self._principals.get(record.sid, NOBODY)

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Hand a socket.io event on, when it is one that a page sends."""
        if event not in SOCKET_EVENTS:
            return self.refuse("unknown event")
        if event == "connect" and args[0] in self.sid_to_token:
            return self.refuse("connected already")
        return await super().trigger_event(event, *args)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Let a page in, unless its address is longer than any page's: its token is kept."""
        if len(environ.get("QUERY_STRING", "")) > MAX_QUERY_CHARACTERS:
            self.refuse("long address")
            raise ConnectionRefusedError
        self._principals[sid] = principal_of(environ["asgi.scope"])
        try:
            await super().on_connect(sid, environ, auth)
        except BaseException:
            del self._principals[sid]  # a refused page is never said to leave
            raise

    def on_disconnect(self, sid: str) -> asyncio.Task[Any] | None:
        """Forget who a page was that leaves."""
        self._principals.pop(sid, None)
        return super().on_disconnect(sid)

    async def on_event(self, sid: str, data: Any = None, *_: object) -> None:
        """Take an event of a page in, or refuse it quietly."""
        try:
            if sid not in self.sid_to_token:
                raise PageEventError(problem="no token")
            event = admitted(data, RegistrationContext.get().event_handlers)
        except (PageEventError, OverflowError, RecursionError) as reason:  # of numbers and nesting
            self.refuse(str(reason))
        else:
            await super().on_event(sid, event)

    def refuse(self, reason: str) -> None:
        """Count what is not let in."""
        self.refused += 1
        log.debug("page event refused", reason=reason)


def only_page_messages(inner: ASGIApp) -> ASGIApp:
    """Cut off who sends on the pages' socket what no socket.io client of a page does.

    Reflex's libraries would keep the parts of a binary message without end, and log
    what they can't read with all that led there.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].startswith(PATH):
            await inner(scope, receive, send)
            return

        async def receive_checked() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or _is_of_a_page(message.get("text")):
                return message
            await send({"type": "websocket.close", "code": UNACCEPTABLE})
            return {"type": "websocket.disconnect", "code": UNACCEPTABLE}

        await inner(scope, receive_checked, send)

    return app


def _is_of_a_page(text: str | None) -> bool:
    """Tell whether it is a close, a pong, or socket.io's connect, disconnect, event or answer."""
    return text is not None and (text in ("1", "3") or text[:2] in ("40", "41", "42", "43"))


def guard_socket(app: rx.App) -> None:
    """Put the looks at what comes in around the app's socket.

    Raises:
        TypeError: when the app has no socket.
    """
    sio, before = app.sio, app.event_namespace
    if sio is None or before is None:
        raise TypeError("the app has no socket")
    global _socket
    socket = _socket = PageSocket(before.namespace, app)
    app._event_namespace = socket  # Reflex has no parameter for it
    sio.register_namespace(socket)
    FrontendEventExceptionState.auto_reload_on_errors = [RELOADED_ON]
    sio.eio.max_http_buffer_size = MAX_MESSAGE_BYTES
    take = sio.eio.handlers["message"]

    async def message(eio_sid: str, data: str) -> None:
        """Take a message; what can't be read is refused."""
        try:
            await take(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, engine.io would log all of it
            socket.refuse(type(error).__name__)

    sio.eio.on("message", message)


_socket: PageSocket | None = None


def page_principal(token: str) -> Principal:
    """Tell who the open page of a client token is; nobody, where there is none."""
    return NOBODY if _socket is None else _socket.principal(token)


@contextmanager
def refusals() -> Generator[None]:
    """Refuse quietly what a page may not or what cannot be: a page of ours offers neither."""
    try:
        yield
    except (ScopeError, CommandError, TypeError, ValueError) as reason:
        if _socket is not None:
            _socket.refuse(str(reason))


def page_failed(exception: Exception) -> None:
    """Log what a page says of an error of its own: in one line, whatever the page says."""
    if _errors.allow(time.monotonic()):
        log.warning("page error", told=_one_line(exception))


def event_failed(exception: Exception) -> None:
    """Log an event handler's error in one line; the page goes on."""
    if _errors.allow(time.monotonic()):
        frames = traceback.extract_tb(exception.__traceback__)
        at = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        log.error("page event failed", error=_one_line(exception), at=at)


class Lines:
    """Lets so many lines of the log through in each span of time, so that nobody fills it."""

    def __init__(self, most: int, *, span_s: float) -> None:
        self._most = most
        self._span_s = span_s
        self._began_s = float("-inf")
        self._count = 0

    def allow(self, now_s: float) -> bool:
        """Tell whether one more may be written; the last one of a span says that others follow."""
        if now_s - self._began_s >= self._span_s:
            self._began_s = now_s
            self._count = 0
        self._count += 1
        if self._count == self._most + 1:
            log.warning("more page errors, not logged", seconds=self._span_s)
        return self._count <= self._most


_errors = Lines(MAX_LINES, span_s=LINES_S)


def _one_line(exception: Exception) -> str:
    return ascii(f"{type(exception).__name__}: {exception}"[:MAX_ERROR_CHARACTERS])
