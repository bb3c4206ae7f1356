"""`/ws`: the live stream for other programs, one subscription per connection."""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access.places import Places
from dashboard.access.principals import principal_of
from dashboard.bootstrap import Services
from dashboard.core.conflation import OverflowPolicy, conflate
from dashboard.core.errors import RequestError, ScopeError
from dashboard.protocols import live
from dashboard.streaming.live_session import LiveSession

GOING_AWAY, TOO_BIG, TRY_AGAIN_LATER = 1001, 1009, 1013
CONFLATED_EVENTS = 20_000
"""Buffer where a whole interval is waited for: only a client that lags may fill it."""


async def serve_live(socket: WebSocket, running: Services, connections: Places) -> None:
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
    """One client: a reader of its requests, and the one writer of its frames.

    Answers go through the writer, so that an answer and the events around it
    come in the order in which they took effect. The reader waits until its
    answer is sent, so a client that does not read cannot pile up answers.
    """

    def __init__(self, socket: WebSocket, running: Services) -> None:
        self._socket = socket
        self._services = running
        self._session = LiveSession(running, principal_of(socket.scope))
        self._subscription = running.hub.subscribe(
            name="ws",
            wants=self._session.filter.wants,
            capacity=CONFLATED_EVENTS if running.conflates else live.BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._answers = self._session.first(socket.query_params.get("since"))
        self._asked = asyncio.Event()
        self._answered = asyncio.Event()
        self._due_s = 0.0
        self._told_conflated = 0
        self._told_lost = 0

    async def run(self) -> None:
        """Serve until the client leaves, or until the hub closes (close code 1001)."""
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(), name="ws writer")
                too_big = await self._read()
                writer.cancel()
            if too_big:  # only now: the writer sends nothing after the close
                limit = live.MAX_REQUEST_BYTES
                await self._socket.close(TOO_BIG, f"a frame may have {limit} bytes at most")
        except* WebSocketDisconnect:
            pass
        finally:
            self._subscription.close()

    async def _write(self) -> None:
        while True:
            for frame in self._due():
                await self._socket.send_text(frame)
            if not self._answers or self._subscription.closed:
                self._answered.set()
            if self._subscription.closed:
                await self._socket.close(GOING_AWAY, "the server is shutting down")
                return
            await self._subscription.ready()
            if self._services.conflates:
                await self._interval()

    async def _interval(self) -> None:
        """Wait until the conflation interval is over; an answer is not kept waiting."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._due_s):
                await self._asked.wait()
        self._asked.clear()
        self._due_s = max(self._due_s, loop.time()) + self._services.frequency_ms / 1000

    def _due(self) -> list[str]:
        answers, self._answers = self._answers, []
        events = self._subscription.take()
        if self._services.conflates:
            events = conflate(events)
        return [*answers, *self._notices(), *self._session.frames(events)]

    async def _read(self) -> bool:
        """Answer requests until the client leaves, or until one is too big: true."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return False
            request: str | bytes = message.get("text") or message.get("bytes") or ""
            if _size(request) > live.MAX_REQUEST_BYTES:
                return not self._subscription.closed
            if answers := await self._answer(request):
                self._answered.clear()
                self._answers += answers
                self._asked.set()
                self._subscription.wake()
                await self._answered.wait()

    async def _answer(self, request: str | bytes) -> list[str]:
        try:
            asked = live.parse_request(request)
            if isinstance(asked, live.SetFrequency):
                self._session.set_frequency(asked)
                return []
        except (RequestError, ScopeError) as error:
            return [live.encode_error(error)]
        return await self._change_filter(asked)

    async def _change_filter(self, asked: live.Subscribe) -> list[str]:
        found = await self._session.deliver(asked)
        waiting = self._session.frames(self._subscription.take())
        answers = self._session.change_filter(asked, found)
        self._subscription.change_filter(self._session.filter.wants)
        return [*waiting, *answers]

    def _notices(self) -> list[str]:
        lost = self._subscription.lost - self._told_lost
        conflated = self._subscription.conflated - self._told_conflated
        if not (lost or conflated):
            return []
        self._told_lost += lost
        self._told_conflated += conflated
        return [live.encode_conflated(count=conflated + lost, lost_trades=lost)]


def _size(request: str | bytes) -> int:
    return len(request.encode(errors="replace") if isinstance(request, str) else request)
