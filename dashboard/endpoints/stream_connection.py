"""One client of the stream server."""

import asyncio
from collections import deque
from functools import lru_cache

import msgspec
import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from dashboard.endpoints.connections import Connections
from dashboard.endpoints.openalgo import OpenAlgoStreams
from dashboard.protocols.openalgo.outbox import Outbox
from dashboard.protocols.openalgo.requests import MAX_REQUEST_BYTES

log = structlog.get_logger(__name__)

GOING_AWAY, PROTOCOL_ERROR, POLICY_VIOLATION = 1001, 1002, 1008
TOO_BIG, INTERNAL_ERROR, TRY_AGAIN_LATER, NOT_AUTHENTICATED = 1009, 1011, 1013, 4401
LINGER_S = 2.0
"""How long a client may take to answer our close before its connection is cut."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long a client may take, in seconds: to authenticate, to drain its buffer, to pong."""

    authenticate_s: float = 15
    drain_s: float = 30
    ping_interval_s: float = 20
    ping_timeout_s: float = 20


class StreamConnection(WSListener):
    """Read requests, answer them in order, and write all that is due in one write.

    While the client's socket is full, data are conflated in the outbox and no
    further request is taken from it, so it cannot pile up answers.
    """

    def __init__(
        self,
        streams: OpenAlgoStreams,
        places: Connections,
        everyone: "set[StreamConnection]",
        group: asyncio.TaskGroup,
        timeouts: Timeouts,
    ) -> None:
        self.outbox = Outbox()
        self._streams = streams
        self._places = places
        self._everyone = everyone
        self._group = group
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._requests: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._fragments: bytearray | None = None
        self._asked = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lagging_since: float | None = None
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take a place, or refuse the client with close code 1013."""
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._connected_at = self._loop.time()
        if self._streams.closed:
            self.end()
        elif not self._places.admit():
            self._close(TRY_AGAIN_LATER, f"all {self._places.limit} places are taken")
        else:
            self._session = self._streams.open(self)
            self._everyone.add(self)
            self._worker = self._group.create_task(self._work(), name="stream client")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame; fragments are put together."""
        if frame.msg_type == WSMsgType.CLOSE:
            if not self._closing:
                self._closing = True
                transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type == WSMsgType.PING:
            if self._writable.is_set() and not self._closing:
                transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type != WSMsgType.PONG and not self._closing:
            self._take(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Give everything back."""
        self._closing = True
        self._writable.set()
        if self._worker is not None:
            self._worker.cancel()
            self._everyone.discard(self)
            self._streams.close(self)
            self._places.release()

    def pause_writing(self) -> None:
        """Begin to lag: the transport's buffer is full."""
        self._writable.clear()
        self._lagging_since = self._loop.time()

    def resume_writing(self) -> None:
        """Catch up: the transport's buffer has drained."""
        self._writable.set()
        self._lagging_since = None
        self.flush()

    def flush(self) -> None:
        """Write all that waits, in one write, unless the client lags."""
        if self._closing or not self.outbox or not self._writable.is_set():
            return
        parts: list[bytes] = []
        for payload in self.outbox.take():
            parts.append(_header(len(payload)))
            parts.append(payload)
        self._transport.underlying_transport.write(b"".join(parts))

    def check(self) -> None:
        """Close the connection when the client has overstepped a time limit."""
        if self._closing:
            return
        now = self._loop.time()
        limits = self._timeouts
        if not self._session.authenticated and now - self._connected_at > limits.authenticate_s:
            self._close(NOT_AUTHENTICATED, f"not authenticated within {limits.authenticate_s:g} s")
        elif self._lagging_since is not None and now - self._lagging_since > limits.drain_s:
            log.warning("stream client evicted", conflated=self.outbox.conflated)
            self._close(POLICY_VIOLATION, f"nothing was read for {limits.drain_s:g} s")

    def end(self) -> None:
        """Say goodbye: the server is shutting down."""
        self._close(GOING_AWAY, "the server is shutting down")

    def _take(self, frame: WSFrame) -> None:
        begins = frame.msg_type != WSMsgType.CONTINUATION
        if begins != (self._fragments is None):
            self._close(PROTOCOL_ERROR, "fragments are out of order")
            return
        payload = frame.get_payload_as_bytes()
        if self._fragments is not None or not frame.fin:
            fragments = bytearray() if self._fragments is None else self._fragments
            fragments += payload
            self._fragments = None if frame.fin else fragments
            payload = bytes(fragments) if frame.fin else b""
            if len(fragments) > MAX_REQUEST_BYTES:
                self._close(TOO_BIG, f"a message may have {MAX_REQUEST_BYTES} bytes at most")
                return
            if not frame.fin:
                return
        self._requests.append(payload)
        self._waiting_bytes += len(payload)
        self._asked.set()
        if self._waiting_bytes > MAX_REQUEST_BYTES:
            self._transport.underlying_transport.pause_reading()

    async def _work(self) -> None:
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                while self._requests:
                    await self._answer(self._requests.popleft())
        except Exception:
            log.exception("a stream client failed")
            self._close(INTERNAL_ERROR, "internal error")

    async def _answer(self, raw: bytes) -> None:
        await self._writable.wait()
        await self._streams.answer(self, raw, address=self._address)
        before = self._waiting_bytes
        self._waiting_bytes -= len(raw)
        if before > MAX_REQUEST_BYTES >= self._waiting_bytes and not self._closing:
            self._transport.underlying_transport.resume_reading()

    def _close(self, code: int, reason: str) -> None:
        if self._closing:
            return
        self.flush()
        self._closing = True
        self._transport.send_close(code, reason.encode())  # pyright: ignore[reportArgumentType] - 4401 is in no enum
        self._loop.call_later(LINGER_S, self._transport.disconnect, False)


@lru_cache(maxsize=4096)
def _header(length: int) -> bytes:
    """Begin a text frame of a server: one piece, not masked."""
    if length < 126:
        return bytes((0x81, length))
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2)
    return b"\x81\x7f" + length.to_bytes(8)
