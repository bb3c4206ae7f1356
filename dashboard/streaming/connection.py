"""One client of the stream server."""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport
from starlette.types import Scope

from dashboard.access.credentials import client_address
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.principals import principal_of
from dashboard.fanout.wire import Wire, deflated
from dashboard.hub.failures import Survival
from dashboard.streaming.closing import (
    FAILED,
    KEY_REVOKED,
    LINGER_S,
    POLICY_VIOLATION,
    Timeouts,
    no_place,
)
from dashboard.streaming.heartbeat import Beat, Heartbeat
from dashboard.streaming.messages import (
    REFUSED_BIT,
    Message,
    Messages,
    answer_to_close,
    has_reserved_bit,
)
from dashboard.streaming.peers import DEAD_S, silent_s
from dashboard.streaming.reads import BoundedReads
from dashboard.streaming.stage import Progress, Stage
from dashboard.streaming.streams import GOING_AWAY, Refusal, Streams

log = structlog.get_logger(__name__)

CLOSE, PING = WSMsgType.CLOSE, WSMsgType.PING
CONTROL = frozenset({CLOSE, PING, WSMsgType.PONG})
MAX_WAITING = 64
"""The requests of a client that may wait, beside those of one more read."""

Admission = Callable[[Scope], Awaitable[str | None]]
"""Tells why a handshake may not pass, or gives None."""


class Door(NamedTuple):
    """What all connections to the port have in common.

    `connections` are the clients, and those of them who showed a key as they came stand in
    `keyed`; `group` runs their work; `survival` counts what fails for one.
    """

    admission: Admission
    keyed: KeyedConnections
    timeouts: Timeouts
    connections: "set[StreamConnection]"
    group: asyncio.TaskGroup
    survival: Survival


class StreamConnection(WSListener):
    """Read requests, answer them in order, and write what the stream makes due.

    While the client's socket is full it is not `writable`: data are conflated in
    its outbox and no further request is taken from it, so it cannot pile up answers.
    A request is read and answered when it is its turn among those of all clients, and
    while too many wait, nothing more is read. `scope` describes the handshake as ASGI does.
    """

    def __init__(self, streams: Streams, door: Door, *, scope: Scope, wire: Wire) -> None:
        self.outbox = streams.outbox(wire)
        self.wire = wire
        self.scope = scope
        self.writable = True
        self._streams = streams
        self._door = door
        self._timeouts = door.timeouts
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
        self._progress = Progress()
        self._worker: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take a place, or refuse the client with close code 1013."""
        self._transport = transport
        self.write = _writing_to(transport)
        peer = transport.underlying_transport.get_extra_info("peername")
        self.scope["client"] = (str(peer[0]) if peer else "", 0)
        self.address = client_address(self.scope)
        self._connected_at = self._loop.time()
        self._reads = BoundedReads(transport, self._streams.turns, self._asked)
        self._heartbeat = Heartbeat(
            interval_s=self._timeouts.ping_interval_s,
            timeout_s=self._timeouts.ping_timeout_s,
            now_s=self._connected_at,
        )
        if self._streams.closed:
            self.end()
        elif not self._streams.places.admit(self):
            self.displace()
        else:
            self._door.connections.add(self)
            self._worker = self._door.group.create_task(self._work(), name="stream client")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame; fragments are put together, and the last ping of a read is answered."""
        kind = frame.msg_type
        if kind in CONTROL:
            self._control(kind, frame)
        elif not self._progress.closing:
            self._take(kind, frame)
        if self._ping is not None and frame.last_in_buffer:
            if self.writable and not self._progress.closing:
                transport.send_pong(self._ping)
            self._ping = None

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Give everything back."""
        self._leave()
        self._drained.set()
        if self._worker is not None:
            self._worker.cancel()
            self._door.connections.discard(self)
            self._streams.places.release(self)

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

    async def drained(self) -> None:
        """Wait until its socket takes more, or it has left."""
        await self._drained.wait()

    def fileno(self) -> int:
        """Give the number of its file; -1 once it is closed."""
        return self._socket.fileno()

    def check(self) -> None:
        """Close the connection when the client has overstepped a time limit."""
        stage, limits, now = self._progress.stage, self._timeouts, self._loop.time()
        lagged_s = 0.0 if self._lagging_since is None else now - self._lagging_since
        if stage is Stage.CLOSING:
            return
        if stage is not Stage.KNOWN and now - self._connected_at > limits.authenticate_s:
            self.end(limits.not_authenticated)
        elif self._streams.evicts and lagged_s > limits.drain_s:
            self._streams.places.evicted += 1
            log.warning("stream client evicted", conflated=self.outbox.conflated)
            self.end(limits.not_read)
        elif lagged_s > DEAD_S and silent_s(self._socket) > DEAD_S:
            self._transport.disconnect(False)
        else:
            self._beat(now)

    def displace(self) -> None:
        """Leave: its place is another's now, or it got none."""
        self.end(no_place(self._streams.places.limit))

    def end(self, refusal: Refusal = GOING_AWAY) -> None:
        """Close it, after what is due to it already. Safe to call twice."""
        if self._progress.closing:
            return
        if self._progress.takes_part:
            self._streams.fanout.settle(self)
            self._streams.fanout.release(self)
        self._leave()
        self._transport.send_close(refusal.code, refusal.reason.encode())  # pyright: ignore[reportArgumentType] - 4401 is in no enum
        self._cut_later()

    @property
    def _socket(self) -> socket.socket:
        return self._transport.underlying_transport.get_extra_info("socket")

    def _beat(self, now_s: float) -> None:
        may_answer = self.writable and not self._reads.paused
        heard = self._reads.heard or not may_answer
        self._reads.heard = False
        beat = self._heartbeat.look(now_s, heard=heard)
        if beat is Beat.PING:
            self._transport.send_ping()
        elif beat is Beat.GIVE_UP:
            self.end(self._timeouts.no_pong)

    def _control(self, kind: WSMsgType, frame: WSFrame) -> None:
        if kind is CLOSE:
            if not self._progress.closing:
                self._leave()
                self._transport.send_close(answer_to_close(frame))  # pyright: ignore[reportArgumentType] - any code
            self._transport.disconnect()
            self._cut_later()  # for that waits until it has read all
        elif has_reserved_bit(frame):
            self.end(REFUSED_BIT)
        elif kind is PING:
            self._ping = frame.get_payload_as_bytes()

    def _take(self, kind: WSMsgType, frame: WSFrame) -> None:
        message = self._messages.take(kind, frame)
        if message is None:
            return
        if isinstance(message, Refusal):
            self.end(message)
            return
        self._requests.append(message)
        self._waiting_bytes += len(message.data)
        self._asked.set()
        limit = self._streams.max_request_bytes
        if self._waiting_bytes > limit or len(self._requests) > MAX_WAITING:
            self._reads.pause()

    async def _work(self) -> None:
        try:
            await self._serve()
        except Exception:
            log.exception("a stream client failed")
            with self._door.survival:
                self.end(FAILED)
                return
            self._transport.disconnect(False)  # for not even that could be said

    async def _serve(self) -> None:
        streams = self._streams
        await streams.turns.take(0)  # to open is work, as a request is
        problem = None if streams.asks_for_key else await self._door.admission(self.scope)
        if problem is not None:
            self.end(Refusal(POLICY_VIOLATION, problem[:120]))
        if self._progress.advance(Stage.OPEN):
            streams.open(self)
            if not streams.asks_for_key:
                revoke = partial(self.end, KEY_REVOKED)
                self._door.keyed.enter(self, principal_of(self.scope), revoke)
            self._keep_place()
            await streams.begin(self)
        while True:  # until it is disconnected, also where it is closing
            await self._asked.wait()
            self._asked.clear()
            while self._requests:
                await self._answer(self._requests.popleft())
            await self._reads.go_on()

    async def _answer(self, message: Message) -> None:
        self._waiting_bytes -= len(message.data)
        await self.drained()
        await self._streams.turns.take(len(message.data))
        request = message.read(limit=self._streams.max_request_bytes)
        if isinstance(request, Refusal):
            self.end(request)
            return
        if message.is_packed:
            await self._streams.turns.take(len(request))
        if self._progress.takes_part and not self._transport.underlying_transport.is_closing():
            await self._streams.answer(self, request, address=self.address)
            self._keep_place()

    def _keep_place(self) -> None:
        if self._progress.stage is not Stage.OPEN or not self._streams.authenticated(self):
            return
        self._progress.advance(Stage.KNOWN)
        self._streams.places.keep(self)

    def _cut_later(self) -> None:
        self._loop.call_later(LINGER_S, self._transport.disconnect, False)

    def _leave(self) -> None:
        """Take no part in the stream any more: nothing may follow a close frame."""
        self._progress.advance(Stage.CLOSING)
        self._door.keyed.leave(self)
        self._requests.clear()
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
