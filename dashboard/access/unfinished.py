"""Cut off WebSockets of the page's port whose message is too large, before it is whole.

Granian keeps what has come of a message, up to 64 MiB, until it can hand it on, and has no
setting for it: from inside the application such a client looks silent. But the system counts
the bytes that come on each connection. What comes while the application waits and is handed
nothing belongs to a message that is not whole yet, or to pings, which are small.
"""

import asyncio
import contextlib
import os
import socket
import struct
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from operator import length_hint
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.places import Places

log = structlog.get_logger(__name__)

MAX_UNFINISHED_BYTES = 2 * 1024 * 1024
"""Twice the largest message that any of our protocols takes."""
PING_BYTES_PER_S = 1024
"""What a client may send beside its messages."""
LOOK_S = 0.1
LOOK_EACH_S = 0.0005
"""With many, longer by so much for each: to look at one takes five microseconds, so 1 %."""
LOOKED_AT_ONCE = 100
"""Others get their turn in between."""
IS_SUPPORTED = sys.platform == "linux"
TCP_INFO_BYTES, RECEIVED_AT = 136, 128
"""Size of Linux's `tcp_info` up to `tcpi_bytes_received`, and where that stands in it."""

Peer = tuple[str, int]


class UnfinishedMessages:
    """ASGI middleware around the whole application; `places` count who was cut off as evicted.

    Only Linux tells the bytes of a connection; elsewhere it does nothing.
    """

    def __init__(self, app: ASGIApp, places: Places, *, limit: int = MAX_UNFINISHED_BYTES) -> None:
        self._app = app
        self._places = places
        self._limit = limit
        self._open: dict[Peer, _Incoming] = {}
        self._timer: asyncio.Handle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; watch over a WebSocket for as long as it is served."""
        client = scope.get("client")
        if scope["type"] != "websocket" or client is None or not IS_SUPPORTED:
            await self._app(scope, receive, send)
            return
        incoming = _Incoming((client[0], int(client[1])), receive)  # Granian gives it as text
        self._open[incoming.peer] = incoming
        if self._timer is None:
            self._look_soon()
        try:
            await self._app(scope, incoming.receive, send)
        finally:
            if self._open.get(incoming.peer) is incoming:
                del self._open[incoming.peer]

    def _look_soon(self) -> None:
        loop = asyncio.get_running_loop()
        after_s = max(LOOK_S, LOOK_EACH_S * len(self._open))
        self._timer = loop.call_later(after_s, self._begin_look, loop.time())

    def _begin_look(self, before_s: float) -> None:
        if any(each.number is None for each in self._open.values()):
            self._find_files()
        passed_s = asyncio.get_running_loop().time() - before_s
        self._look(iter(list(self._open.values())), round(PING_BYTES_PER_S * passed_s))

    def _look(self, left: "Iterator[_Incoming]", ping_bytes: int) -> None:
        for each in islice(left, LOOKED_AT_ONCE):
            if each.unfinished(ping_bytes) > self._limit:
                self._cut_off(each)
        if length_hint(left):
            self._timer = asyncio.get_running_loop().call_soon(self._look, left, ping_bytes)
        elif self._open:
            self._look_soon()
        else:
            self._timer = None

    def _find_files(self) -> None:
        try:
            names = os.listdir("/proc/self/fd")
        except OSError:  # no file is left for it: the next look may find one
            return
        for name in names:
            with contextlib.suppress(OSError), borrowed(int(name)) as connection:
                incoming = self._open.get(connection.getpeername()[:2])
                if incoming is not None:
                    incoming.number = int(name)

    def _cut_off(self, incoming: "_Incoming") -> None:
        with contextlib.suppress(OSError), incoming.connection() as connection:
            connection.shutdown(socket.SHUT_RDWR)
            self._places.evicted += 1
            log.warning("WebSocket cut off: a message without an end", address=incoming.peer[0])


class _Incoming:
    """What comes from one client."""

    def __init__(self, peer: Peer, receive: Receive) -> None:
        self.peer = peer
        self.number: int | None = None
        """The file of its connection, once it is found."""
        self._receive = receive
        self._waits = False
        self._handed_on = False
        self._received = 0
        self._unfinished = 0

    async def receive(self) -> Message:
        """Receive as the application does."""
        self._waits = True
        try:
            message = await self._receive()
        finally:
            self._waits = False
        self._handed_on = message["type"] == "websocket.receive"
        return message

    def unfinished(self, ping_bytes: int) -> int:
        """Give the bytes that have come since the last message that was handed on.

        So many that have come since the last look count as pings.
        """
        try:
            with self.connection() as connection:
                info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        except OSError:
            self.number = None
            return 0
        before, (self._received,) = self._received, struct.unpack_from("Q", info, RECEIVED_AT)
        if self._handed_on or not self._waits:
            self._handed_on = False
            self._unfinished = 0
        else:
            came = self._received - before - ping_bytes
            self._unfinished = max(0, self._unfinished + came)
        return self._unfinished

    @contextmanager
    def connection(self) -> Generator[socket.socket]:
        """Borrow its connection.

        Raises:
            OSError: when it is not known, or another one's by now.
        """
        with borrowed(-1 if self.number is None else self.number) as connection:
            if connection.getpeername()[:2] != self.peer:
                raise OSError("another one's by now")
            yield connection


@contextmanager
def borrowed(number: int) -> Generator[socket.socket]:
    """Look at a file of this process as a TCP connection, which it need not be: see its errors.

    Raises:
        OSError: when there is no such file.
    """
    if number < 0:
        raise OSError("no such file")
    looked: Any = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=number)
    try:
        yield looked
    finally:
        looked.detach()
