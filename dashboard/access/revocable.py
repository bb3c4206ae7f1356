"""A request on the page's port that is ended from outside, whatever serves it."""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.keyed_connections import NOT_AUTHENTICATED, REVOKED
from dashboard.access.refusals import refusal

CLOSE_WITHIN_S = 2.0
"""How long the end may wait for a client that does not read."""


class RevocableRequest:
    """One request or WebSocket, until its key is revoked.

    Whoever serves it sees its client leave, then, and what it still sends goes nowhere. The
    client is told once that is over: a WebSocket is closed with 4401, a response ends where it
    stands, and is 401 where none has begun.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_socket = scope["type"] == "websocket"
        self._revoked = False
        self._begun = False
        self._over = False
        self._waiting: asyncio.Timeout | None = None

    async def serve(self, app: ASGIApp) -> None:
        """Have the request served; return when it is over, or ended."""
        if not self._revoked:
            await app(self._scope, self._receive_more, self._send_more)
        if self._revoked and not self._over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await self._tell()

    def revoke(self) -> None:
        """End it. Safe to call twice."""
        if self._revoked:
            return
        self._revoked = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def _receive_more(self) -> Message:
        if not self._revoked:
            try:
                async with asyncio.timeout(None) as self._waiting:
                    return self._noted(await self._receive())
            except TimeoutError:
                pass  # it is ended
            finally:
                self._waiting = None
        kind = "websocket.disconnect" if self._is_socket else "http.disconnect"
        return {"type": kind, "code": NOT_AUTHENTICATED}

    async def _send_more(self, message: Message) -> None:
        if not self._revoked:
            await self._send(self._noted(message))

    def _noted(self, message: Message) -> Message:
        """Look at a message that comes or goes: whether there is anything left to end."""
        kind = message["type"]
        self._begun = self._begun or kind == "http.response.start"
        self._over = (
            self._over
            or kind in {"http.disconnect", "websocket.close", "websocket.disconnect"}
            or (kind == "http.response.body" and not message.get("more_body", False))
        )
        return message

    async def _tell(self) -> None:
        if self._is_socket:
            code = NOT_AUTHENTICATED
            await self._send({"type": "websocket.close", "code": code, "reason": REVOKED})
        elif self._begun:
            await self._send({"type": "http.response.body"})
        else:
            headers = {"Cache-Control": "no-store", "WWW-Authenticate": "Bearer"}
            told = refusal(self._scope, REVOKED, 401, headers)
            await told(self._scope, self._receive, self._send)
