"""`/ws`: the live stream for other programs, one subscription per connection."""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.bootstrap import Services
from dashboard.core.conflation import OverflowPolicy, conflate
from dashboard.core.errors import RequestError, ResumeError
from dashboard.core.model import Published
from dashboard.endpoints.connections import Connections
from dashboard.protocols import live

NORMAL, GOING_AWAY, TOO_BIG, TRY_AGAIN_LATER = 1000, 1001, 1009, 1013


async def serve_live(socket: WebSocket, running: Services, connections: Connections) -> None:
    """Serve one client, or refuse it with close code 1013 when all places are taken."""
    await socket.accept()
    if not connections.admit():
        await socket.close(TRY_AGAIN_LATER, f"all {connections.limit} places are taken")
        return
    try:
        await LiveConnection(socket, running).run()
    finally:
        connections.release()


class LiveConnection:
    """One client: a pump from the hub to its socket, beside a reader of its requests."""

    def __init__(self, socket: WebSocket, running: Services) -> None:
        self._socket = socket
        self._services = running
        self._hub = running.hub
        self._filter = live.Filter()
        self._subscription = self._hub.subscribe(
            name="ws",
            wants=self._filter.wants,
            capacity=live.BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._told_conflated = 0
        self._told_lost = 0

    async def run(self) -> None:
        """Serve until the client leaves, or until the hub closes (close code 1001)."""
        try:
            # before anything can be published: what comes from now on is in the subscription
            first = self._first_frames()
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(self._pump(first), name="ws pump")
                await self._read()
                pump.cancel()
        except* WebSocketDisconnect:
            pass
        finally:
            self._subscription.close()

    async def _pump(self, first: list[str]) -> None:
        await self._send(first)
        while True:
            await self._subscription.ready()
            entries = self._subscription.take()
            await self._send(self._notices())
            for entry in entries:
                await self._socket.send_text(self._hub.frame(entry, live.DIALECT))
            if self._subscription.closed:
                await self._socket.close(GOING_AWAY, "the server is shutting down")
                return

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text: str | bytes = message.get("text") or message.get("bytes") or ""
            if len(text) > live.MAX_REQUEST_BYTES:
                limit = live.MAX_REQUEST_BYTES
                await self._socket.close(TOO_BIG, f"a frame may have {limit} bytes at most")
                return
            await self._send(self._answer(text))

    def _answer(self, text: str | bytes) -> list[str]:
        try:
            request = live.parse_request(text)
        except RequestError as error:
            return [live.encode_error(error)]
        if isinstance(request, live.SetFrequency):
            self._services.set_frequency(request.frequency_ms)
            return []
        return self._change_filter(request)

    def _change_filter(self, asked: live.Filter) -> list[str]:
        unknown = (asked.symbols or frozenset()) - self._services.instruments.keys()
        before = self._filter
        now = live.Filter(None if asked.symbols is None else asked.symbols - unknown, asked.streams)
        self._filter = now
        self._subscription.change_filter(now.wants)
        added = self._hub.latest(lambda topic: now.wants(topic) and not before.wants(topic))
        return [live.encode_subscribed(now, unknown=unknown), *self._frames(added)]

    def _first_frames(self) -> list[str]:
        since = self._socket.query_params.get("since")
        if since is None:
            return self._frames(self._hub.latest(self._filter.wants))
        try:
            missed = self._hub.since(since, self._filter.wants)
        except ResumeError as error:
            return [
                live.encode_reset(error.reason),
                *self._frames(self._hub.latest(self._filter.wants)),
            ]
        return self._frames(conflate(missed))

    def _notices(self) -> list[str]:
        lost = self._subscription.lost - self._told_lost
        count = self._subscription.conflated - self._told_conflated + lost
        if not count:
            return []
        self._told_lost += lost
        self._told_conflated += count - lost
        return [live.encode_conflated(count=count, lost_trades=lost)]

    def _frames(self, entries: list[Published]) -> list[str]:
        return [self._hub.frame(entry, live.DIALECT) for entry in entries]

    async def _send(self, frames: list[str]) -> None:
        for frame in frames:
            await self._socket.send_text(frame)
