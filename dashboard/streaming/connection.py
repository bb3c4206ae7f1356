"""One client of the stream server."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport
from starlette.types import Scope

from dashboard.access.credentials import client_address
from dashboard.access.keyed_connections import NOT_AUTHENTICATED, REVOKED, KeyedConnections
from dashboard.access.places import Places
from dashboard.access.principals import principal_of
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import Wire, deflated
from dashboard.streaming.heartbeat import Beat, Heartbeat
from dashboard.streaming.messages import (
    REFUSED_BIT,
    Message,
    Messages,
    answer_to_close,
    has_reserved_bit,
)
from dashboard.streaming.reads import BoundedReads
from dashboard.streaming.streams import Refusal, Streams

log = structlog.get_logger(__name__)

CLOSE, PING = WSMsgType.CLOSE, WSMsgType.PING
CONTROL = frozenset({CLOSE, PING, WSMsgType.PONG})
GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1001, 1008, 1011
TRY_AGAIN_LATER = 1013
MAX_WAITING = 64
"""The requests of a client that may wait, beside those of one more read."""
LINGER_S = 2.0
"""How long a client may take to answer our close before its connection is cut."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long a client may take, in seconds: to ask, to show a key, to drain its buffer, to pong.

    A client that sends nothing for `ping_interval_s` is pinged.
    """

    handshake_s: float = 5
    authenticate_s: float = 15
    drain_s: float = 30
    ping_interval_s: float = 20
    ping_timeout_s: float = 20


class StreamConnection(WSListener):
    """Read requests, answer them in order, and write what the stream makes due.

    While the client's socket is full it is not `writable`: data are conflated in
    its outbox and no further request is taken from it, so it cannot pile up answers.
    A request is read and answered when it is its turn among those of all clients, and
    while too many wait, nothing more is read. `scope` describes the handshake as ASGI does.
    """

    def __init__(
        self,
        streams: Streams,
        places: Places,
        everyone: "set[StreamConnection]",
        group: asyncio.TaskGroup,
        timeouts: Timeouts,
        *,
        keyed: KeyedConnections,
        scope: Scope,
        wire: Wire,
        outbox: Outbox,
    ) -> None:
        self.outbox = outbox
        self.wire = wire
        self.writable = True
        self._streams = streams
        self._places = places
        self._everyone = everyone
        self._group = group
        self._timeouts = timeouts
        self._keyed = keyed
        self._scope = scope
        self._loop = asyncio.get_running_loop()
        self.write: Callable[[bytes], None]
        self._requests: deque[Message] = deque()
        self._waiting_bytes = 0
        self._messages = Messages(deflate=wire is deflated, limit=streams.max_request_bytes)
        self._ping: bytes | None = None
        self._asked = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._lagging_since: float | None = None
        self._opened = False
        self._known = False
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take a place, or refuse the client with close code 1013."""
        self._transport = transport
        self.write = _writing_to(transport)
        peer = transport.underlying_transport.get_extra_info("peername")
        self._scope["client"] = (str(peer[0]) if peer else "", 0)
        self.address = client_address(self._scope)
        self._connected_at = self._loop.time()
        self._reads = BoundedReads(transport, self._streams.budget, self._asked)
        self._heartbeat = Heartbeat(
            interval_s=self._timeouts.ping_interval_s,
            timeout_s=self._timeouts.ping_timeout_s,
            now_s=self._connected_at,
        )
        if self._streams.closed:
            self.end()
        elif not self._places.admit(self):
            self.displace()
        else:
            self._everyone.add(self)
            self._worker = self._group.create_task(self._work(), name="stream client")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame; fragments are put together, and the last ping of a read is answered."""
        kind = frame.msg_type
        if kind in CONTROL:
            self._control(kind, frame)
        elif not self._closing:
            self._take(kind, frame)
        if self._ping is not None and frame.last_in_buffer:
            if self.writable and not self._closing:
                transport.send_pong(self._ping)
            self._ping = None

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Give everything back."""
        self._leave()
        self._drained.set()
        if self._worker is not None:
            self._worker.cancel()
            self._everyone.discard(self)
            self._places.release(self)

    def pause_writing(self) -> None:
        """Begin to lag: the transport's buffer is full."""
        self.writable = False
        self._drained.clear()
        self._lagging_since = self._loop.time()
        self._streams.fanout.pause(self)

    def resume_writing(self) -> None:
        """Catch up: the transport's buffer has drained."""
        self.writable = True
        self._drained.set()
        self._lagging_since = None
        self._streams.fanout.release(self)

    def flush(self) -> int:
        """Write all that waits, in one write, unless the client lags; give the number of frames."""
        if not self.writable or not self.outbox:
            return 0
        frames = self.outbox.take()
        self.write(b"".join(frames))
        return len(frames)

    def fileno(self) -> int:
        """Give the number of its file; -1 once it is closed."""
        return self._transport.underlying_transport.get_extra_info("socket").fileno()

    def check(self) -> None:
        """Close the connection when the client has overstepped a time limit."""
        if self._closing:
            return
        now = self._loop.time()
        limits = self._timeouts
        if not self._known and now - self._connected_at > limits.authenticate_s:
            self._close(NOT_AUTHENTICATED, f"not authenticated within {limits.authenticate_s:g} s")
        elif self._lagging_since is not None and now - self._lagging_since > limits.drain_s:
            self._places.evicted += 1
            log.warning("stream client evicted", conflated=self.outbox.conflated)
            self._close(POLICY_VIOLATION, f"nothing was read for {limits.drain_s:g} s")
        else:
            self._beat(now)

    def displace(self) -> None:
        """Leave: its place is another's now, or it got none."""
        self._close(TRY_AGAIN_LATER, f"all {self._places.limit} places are taken")

    def end(self) -> None:
        """Say goodbye: the server is shutting down."""
        self._close(GOING_AWAY, "the server is shutting down")

    def revoke(self) -> None:
        """Close it: its key was revoked."""
        self._close(NOT_AUTHENTICATED, REVOKED)

    def _beat(self, now_s: float) -> None:
        heard = self._reads.heard or self._reads.paused  # who is not read from cannot answer
        self._reads.heard = False
        beat = self._heartbeat.look(now_s, heard=heard)
        if beat is Beat.PING:
            self._transport.send_ping()
        elif beat is Beat.GIVE_UP:
            self._close(GOING_AWAY, f"no answer to a ping for {self._timeouts.ping_timeout_s:g} s")

    def _control(self, kind: WSMsgType, frame: WSFrame) -> None:
        if kind is CLOSE:
            if not self._closing:
                self._leave()
                self._transport.send_close(answer_to_close(frame))  # pyright: ignore[reportArgumentType] - any code
            self._transport.disconnect()
            self._cut_later()  # for that waits until it has read all
        elif has_reserved_bit(frame):
            self._close(*REFUSED_BIT)
        elif kind is PING:
            self._ping = frame.get_payload_as_bytes()

    def _take(self, kind: WSMsgType, frame: WSFrame) -> None:
        message = self._messages.take(kind, frame)
        if message is None:
            return
        if isinstance(message, Refusal):
            self._close(*message)
            return
        self._requests.append(message)
        self._waiting_bytes += len(message.data)
        self._asked.set()
        limit = self._streams.max_request_bytes
        if self._waiting_bytes > limit or len(self._requests) > MAX_WAITING:
            self._reads.pause()

    async def _work(self) -> None:
        try:
            await self._streams.budget.take(0)  # to open is work, as a request is
            refusal = await self._open()
            if refusal is not None:
                self._close(*refusal)
                return
            self._keep_place()
            while True:
                await self._asked.wait()
                self._asked.clear()
                while self._requests:
                    await self._answer(self._requests.popleft())
                await self._reads.go_on()
        except Exception:
            log.exception("a stream client failed")
            self._close(INTERNAL_ERROR, "internal error")

    async def _open(self) -> Refusal | None:
        refusal = await self._streams.open(self, self._scope)
        self._opened = refusal is None
        if self._opened:
            self._keyed.enter(self, principal_of(self._scope), self.revoke)
        if self._closing:  # it left meanwhile
            self._leave()
        return refusal

    async def _answer(self, message: Message) -> None:
        self._waiting_bytes -= len(message.data)
        await self._drained.wait()
        await self._streams.budget.take(len(message.data))
        request = message.read(limit=self._streams.max_request_bytes)
        if isinstance(request, Refusal):
            self._close(*request)
            return
        if message.is_packed:
            await self._streams.budget.take(len(request))
        if not (self._closing or self._transport.underlying_transport.is_closing()):
            await self._streams.answer(self, request, address=self.address)
            self._keep_place()

    def _keep_place(self) -> None:
        if not self._known and self._opened and self._streams.authenticated(self):
            self._known = True
            self._places.keep(self)

    def _close(self, code: int, reason: str) -> None:
        if self._closing:
            return
        if self._opened:
            self._streams.fanout.settle(self)
            self._streams.fanout.release(self)
        self._leave()
        self._transport.send_close(code, reason.encode())  # pyright: ignore[reportArgumentType] - 4401 is in no enum
        self._cut_later()

    def _cut_later(self) -> None:
        self._loop.call_later(LINGER_S, self._transport.disconnect, False)

    def _leave(self) -> None:
        """Take no part in the stream any more: nothing may follow a close frame."""
        self._closing = True
        self._keyed.leave(self)
        self._requests.clear()
        if self._opened:
            self._opened = False
            self._streams.close(self)


def _writing_to(transport: WSTransport) -> Callable[[bytes], None]:
    """Make what sends whole frames, unless picows closed the connection for a client's fault.

    It runs a thousand times a flush: a method, and a `write` that checks thread and
    type first, would make each run longer by a tenth.
    """
    underlying: Any = transport.underlying_transport  # aiofastnet's, typed as asyncio's
    write: Callable[[bytes], None] = underlying.write_nocheck

    def send(data: bytes) -> None:
        if not transport.is_close_frame_sent:
            write(data)

    return send
