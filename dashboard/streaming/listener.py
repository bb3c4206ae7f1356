"""The stream server's port: an asyncio server of its own, for many clients.

It is no mounted route because here all frames due to a client leave in one write,
at a small part of the cost.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus

import structlog
from picows import (
    WSUpgradeRequest,
    WSUpgradeResponseWithListener,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType] - its keywords
)
from starlette.datastructures import Headers

from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.listening_socket import ListeningSocket
from dashboard.access.places import Places
from dashboard.core.errors import SettingError
from dashboard.fanout.wire import deflated, framed
from dashboard.hub.failures import Survival
from dashboard.protocols.openalgo.requests import MAX_REQUEST_BYTES
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.connection import Admission, Door, StreamConnection
from dashboard.streaming.handshake import (
    VERSION,
    accepted,
    offers_deflate,
    refused,
    scope_of,
    simplify,
)
from dashboard.streaming.streams import Streams

log = structlog.get_logger(__name__)

ACCEPTED_A_TURN = 32
"""Places that are accepted in one turn of the loop: some three milliseconds."""
SEND_BUFFER_BYTES = 256 * 1024
"""The system's buffer per client: a larger one would hide for long that nobody reads."""
WATCH_S = 0.5
CLIENTS_FAULT = "WS parser error"
"""How picows begins to tell of a frame that breaks the protocol."""

RefuseHeaders = Callable[[Headers], str | None]
"""Names what is wrong with a request's headers, or gives None."""
Choose = Callable[[str], Streams]
"""Gives the stream of a path."""


class StreamListener:
    """Listen on one address; `port` 0 takes a free one, to be read after `listen`.

    `connection_limit` bounds the connections, those included that are no clients yet;
    `places` counts those that find none.
    """

    def __init__(
        self,
        places: Places,
        *,
        host: str,
        port: int,
        refusal: RefuseHeaders,
        timeouts: Timeouts,
        connection_limit: int,
        deflate: bool = False,
    ) -> None:
        self.port = port
        self._places = places
        self._host = host
        self._refusal = refusal
        self._timeouts = timeouts
        self._connection_limit = connection_limit
        self._deflate = deflate
        self._connections: set[StreamConnection] = set()
        self._socket: ListeningSocket | None = None

    def listen(self) -> None:
        """Take the port.

        Raises:
            SettingError: when it is taken, or the address is not ours.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = ListeningSocket(
            family, self._places, limit=self._connection_limit, clients=self._files
        )
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            listener.bind((self._host, self.port))
            listener.listen()
        except OSError as error:
            listener.close()
            raise SettingError(
                variable="DASHBOARD_STREAM_PORT",
                value=self.port,
                allowed=f"a free port of {self._host}, or 0 for none ({error.strerror})",
            ) from error
        self.port = listener.getsockname()[1]
        self._socket = listener

    async def run(
        self,
        choose: Choose,
        *,
        admission: Admission,
        keyed: KeyedConnections,
        survival: Survival,
    ) -> None:
        """Serve, after `listen`, until the stream of any path closes; then say goodbye.

        `choose` gives the stream of a path; `admission` says of a handshake whether it may
        pass, where its stream asks for no key; who shows one then stands in `keyed`, and ends
        with it; `survival` counts what fails for one client.
        """
        async with asyncio.TaskGroup() as group:
            door = Door(admission, keyed, self._timeouts, self._connections, group, survival)

            def accept(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
                simplify(request)
                scope = scope_of(request)
                headers = Headers(scope=scope)
                problem = self._refusal(headers)
                if problem is not None:
                    log.warning("stream client refused", problem=problem)
                    return refused(HTTPStatus.FORBIDDEN, problem)
                if headers.get("sec-websocket-version") != VERSION:
                    return refused(HTTPStatus.UPGRADE_REQUIRED, f"only version {VERSION}")
                agreed = self._deflate and offers_deflate(headers)
                connection = StreamConnection(
                    choose(scope["path"]),
                    door,
                    scope=scope,
                    wire=deflated if agreed else framed,
                )
                return WSUpgradeResponseWithListener(accepted(deflate=agreed), connection)

            server = await ws_create_server(
                accept,
                sock=self._socket,
                backlog=ACCEPTED_A_TURN,
                websocket_handshake_timeout=self._timeouts.handshake_s,
                enable_auto_pong=False,  # a connection answers pings itself, unless it lags
                max_frame_size=MAX_REQUEST_BYTES,
                logger_name=_logger(),
            )
            log.info("OpenAlgo streaming", host=self._host, port=self.port)
            try:
                while not choose("/").closed:
                    await asyncio.sleep(WATCH_S)
                    for connection in list(self._connections):
                        with survival:
                            connection.check()
            finally:
                server.close()
            for connection in list(self._connections):
                with survival:
                    connection.end()

    def _files(self) -> set[int]:
        return {each.fileno() for each in self._connections}


class _Faults(logging.Handler):
    """Pass on what went wrong on our side; a client's fault is no news."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a fault of ours."""
        if not record.msg.startswith(CLIENTS_FAULT):
            log.error("stream server", problem=record.getMessage(), exc_info=record.exc_info)


def _logger() -> logging.Logger:
    """Give picows a logger that tells of its failures and ours: else nobody would hear of them."""
    logger = logging.getLogger("picows.server")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.handlers = [_Faults()]
    return logger
