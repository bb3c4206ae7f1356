"""`/ws/openalgo`: the OpenAlgo protocol beside the page, for those who can reach only its port."""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access.credentials import client_address
from dashboard.access.keyed_connections import NOT_AUTHENTICATED, REVOKED
from dashboard.access.keyless import KeylessPlaces
from dashboard.access.places import Places
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.wire import bare
from dashboard.streaming.connection import (
    GOING_AWAY,
    LINGER_S,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
    Timeouts,
)
from dashboard.streaming.messages import refused_size
from dashboard.streaming.openalgo import OpenAlgoStreams
from dashboard.streaming.streams import Refusal


async def serve_openalgo(
    socket: WebSocket,
    streams: OpenAlgoStreams,
    places: Places,
    keyless: KeylessPlaces,
    timeouts: Timeouts,
) -> None:
    """Serve one client, or refuse it with close code 1013 when all places are taken."""
    client = OpenAlgoSocket(socket, streams, places, keyless, timeouts)
    entered = await keyless.enter(client)
    try:
        await socket.accept()
        if not entered or not places.admit(client):
            await socket.close(*client.refusal)
            return
        try:
            await client.run()
        finally:
            places.release(client)
    finally:
        keyless.leave(client)


class OpenAlgoSocket:
    """One client: a reader of its requests and the one writer of its frames.

    Each of its frames is a call of the server, which may wait: so to the stream it is
    never writable, and what is due to it is put into its outbox.
    """

    wire = staticmethod(bare)
    writable = False

    def __init__(
        self,
        socket: WebSocket,
        streams: OpenAlgoStreams,
        places: Places,
        keyless: KeylessPlaces,
        timeouts: Timeouts,
    ) -> None:
        self.outbox = Outbox()
        self.address = client_address(socket.scope)
        self.refusal = Refusal(TRY_AGAIN_LATER, f"all {places.limit} places are taken")
        self._socket = socket
        self._streams = streams
        self._places = places
        self._keyless = keyless
        self._timeouts = timeouts
        self._due = asyncio.Event()
        self._written = asyncio.Event()
        self._closing: Refusal | None = None
        self._known = False

    def write(self, data: bytes) -> None:
        """Refuse: it is never writable.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"{len(data)} bytes for a client that is not writable")

    def flush(self) -> int:
        """Wake the writer, who counts what it sends."""
        self._written.clear()
        self._due.set()
        return 0

    def displace(self) -> None:
        """Leave: its place is another's now."""
        self._close(*self.refusal)

    def end(self) -> None:
        """Say goodbye: the server is shutting down."""
        self._close(GOING_AWAY, "the server is shutting down")

    def revoke(self) -> None:
        """Close it: its key was revoked."""
        self._close(NOT_AUTHENTICATED, REVOKED)

    async def run(self) -> None:
        """Serve until the client leaves or is closed."""
        await self._streams.open(self, self._socket.scope)
        if self._streams.closed:
            self.end()
        try:
            async with asyncio.TaskGroup() as group:
                others = [
                    group.create_task(self._read(), name="openalgo reader"),
                    group.create_task(self._expire(), name="openalgo authentication"),
                ]
                code, reason = await self._write()
                for task in others:
                    task.cancel()
                await asyncio.wait(others)  # the web server closes nothing while it receives
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_S):  # it waits for a full connection, too
                        await self._socket.close(code, reason)
        except* WebSocketDisconnect:
            pass
        finally:
            self._streams.close(self)

    async def _write(self) -> Refusal:
        while self._closing is None:
            await self._due.wait()
            self._due.clear()
            try:
                async with asyncio.timeout(self._timeouts.drain_s):
                    for payload in self.outbox.take():
                        await self._socket.send_text(payload.decode())
                        self._streams.fanout.deliveries += 1
                        self._streams.fanout.writes += 1
            except TimeoutError:
                self._places.evicted += 1
                self._close(POLICY_VIOLATION, f"nothing was read for {self._timeouts.drain_s:g} s")
            self._written.set()  # the answers of before; data may wait already again
        return self._closing

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            raw: str | bytes = message.get("text") or message.get("bytes") or b""
            raw = raw.encode(errors="replace") if isinstance(raw, str) else raw
            limit = self._streams.max_request_bytes
            if len(raw) > limit:
                self._close(*refused_size(limit))
                return
            await self._streams.budget.take(len(raw))
            await self._streams.answer(self, raw, address=self.address)
            if not self._known and self._streams.authenticated(self):
                self._known = True
                self._places.keep(self)
                self._keyless.leave(self)
            await self._written.wait()

    async def _expire(self) -> None:
        await asyncio.sleep(self._timeouts.authenticate_s)
        if not self._known:
            limit = self._timeouts.authenticate_s
            self._close(NOT_AUTHENTICATED, f"not authenticated within {limit:g} s")

    def _close(self, code: int, reason: str) -> None:
        self._closing = self._closing or Refusal(code, reason)
        self._due.set()
