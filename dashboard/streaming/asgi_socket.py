"""A client of a stream on the page's port: the same stream, through another server's sockets."""

import asyncio
import contextlib

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access.credentials import client_address
from dashboard.access.keyless import KeylessPlaces
from dashboard.fanout.wire import bare
from dashboard.streaming.closing import FAILED, LINGER_S, Timeouts, no_place
from dashboard.streaming.messages import refused_size
from dashboard.streaming.stage import Progress, Stage
from dashboard.streaming.streams import GOING_AWAY, Refusal, Streams

log = structlog.get_logger(__name__)


async def serve_stream(
    socket: WebSocket, streams: Streams, keyless: KeylessPlaces, timeouts: Timeouts
) -> None:
    """Serve one client, or refuse it with close code 1013 when all places are taken.

    Who owes a key waits for one of the `keyless` places before it is accepted.
    """
    client = AsgiSocket(socket, streams, keyless, timeouts)
    entered = not streams.asks_for_key or await keyless.enter(client)
    try:
        await socket.accept()
        guest = client if streams.asks_for_key else None
        if not entered or not streams.places.admit(guest):
            await socket.close(*no_place(streams.places.limit))
            return
        try:
            await client.run()
        finally:
            streams.places.release(guest)
    finally:
        keyless.leave(client)


class AsgiSocket:
    """One client: a reader of its requests and the one writer of its frames.

    Each of its frames is a call of the server, which may wait: so what is due to it is put
    into its outbox, and the writer is woken. It is `writable` until the writer has begun:
    what comes before that is taken as a whole, and what comes while it writes is bounded.
    """

    wire = staticmethod(bare)
    write = None

    def __init__(
        self, socket: WebSocket, streams: Streams, keyless: KeylessPlaces, timeouts: Timeouts
    ) -> None:
        self.outbox = streams.outbox(bare)
        self.scope = socket.scope
        self.address = client_address(socket.scope)
        self.writable = True
        self._socket = socket
        self._streams = streams
        self._keyless = keyless
        self._timeouts = timeouts
        self._progress = Progress()
        self._refusal = GOING_AWAY
        self._due = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()
        self._sending: asyncio.Timeout | None = None

    def flush(self) -> int:
        """Wake the writer, who counts what it sends."""
        if self.outbox:
            self._written.clear()
            self._due.set()
        return 0

    async def drained(self) -> None:
        """Wait until the writer has sent what it was woken for."""
        await self._written.wait()

    def displace(self) -> None:
        """Leave: its place is another's now."""
        self.end(no_place(self._streams.places.limit))

    def end(self, refusal: Refusal = GOING_AWAY) -> None:
        """Close it, after what is due to it already; it has 2 s for that. Safe to call twice."""
        if self._progress.takes_part:
            self._streams.fanout.settle(self)
        if self._progress.advance(Stage.CLOSING):
            self._refusal = refusal
            self._streams.close(self)
            if self._sending is not None:
                self._sending.reschedule(asyncio.get_running_loop().time() + LINGER_S)
            self._due.set()

    async def run(self) -> None:
        """Serve until the client leaves or is closed."""
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self._timeouts.authenticate_s, self._expire)
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read_or_fail(), name="stream reader")
                await self._write()
                reader.cancel()
                await asyncio.wait([reader])  # the web server closes nothing while it receives
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_S):  # it waits for a full connection, too
                        await self._socket.close(*self._refusal)
        except* WebSocketDisconnect:
            pass
        finally:
            expiry.cancel()
            self._progress.advance(Stage.CLOSING)
            self._streams.close(self)

    async def _write(self) -> None:
        """Send what is due, until the client is to be closed and has all, or takes too long."""
        while self.outbox or not self._progress.closing:
            await self._due.wait()
            self._due.clear()
            try:
                await self._send_all()
            except TimeoutError:
                if not self._progress.closing:
                    self._streams.places.evicted += 1
                    self.end(self._timeouts.not_read)
                return

    async def _send_all(self) -> None:
        """Send what stands in the outbox.

        Raises:
            TimeoutError: when it takes too long.
        """
        patience_s = self._timeouts.drain_s if self._streams.evicts else None
        if self._progress.closing:
            patience_s = LINGER_S
        self.writable = False
        try:
            async with asyncio.timeout(patience_s) as self._sending:
                for payload in self.outbox.take():
                    await self._socket.send_text(payload.decode())
                    self._streams.fanout.deliveries += 1
                    self._streams.fanout.writes += 1
        finally:
            self._sending = None
        self.writable = True
        self._written.set()  # data may wait already again

    async def _read_or_fail(self) -> None:
        try:
            await self._read()
        except WebSocketDisconnect:
            raise
        except Exception:
            log.exception("a stream client failed")
            self.end(FAILED)

    async def _read(self) -> None:
        await self._streams.turns.take(0)  # to open is work, as a request is
        if self._streams.closed:
            self.end()
        if not self._progress.advance(Stage.OPEN):
            return
        self._streams.open(self)
        self._keep_place()
        await self._streams.begin(self)
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            raw: str | bytes = message.get("text") or message.get("bytes") or b""
            raw = raw.encode(errors="replace") if isinstance(raw, str) else raw
            limit = self._streams.max_request_bytes
            if len(raw) > limit:
                self.end(refused_size(limit))
                return
            await self._streams.turns.take(len(raw))
            await self._streams.answer(self, raw, address=self.address)
            self._keep_place()
            await self.drained()

    def _keep_place(self) -> None:
        if self._progress.stage is Stage.OPEN and self._streams.authenticated(self):
            self._progress.advance(Stage.KNOWN)
            self._streams.places.keep(self)
            self._keyless.leave(self)

    def _expire(self) -> None:
        if self._progress.stage is not Stage.KNOWN:
            self.end(self._timeouts.not_authenticated)
