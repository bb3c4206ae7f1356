"""`/sse/{instrument}` and `/sse/pnl`: one subscription per client, sent as Server-Sent Events."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import CommandError
from dashboard.core.model import Published, Topic
from dashboard.hub.hub import Hub
from dashboard.protocols import sse
from dashboard.streaming.catching_up import read_part
from dashboard.streaming.selections import Selection

HEARTBEAT_S = 15.0
JOIN_S = 0.005
"""After a write, what comes within this time goes out in one: writes are what fan-out costs."""
WRITE_S = 100e-6
"""With many busy clients the time grows by this for each: at most 10,000 writes/s, however many."""

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def last_event_id(request: Request) -> str | None:
    """Give the id to resume after: the header that EventSource sends, else `?since=`."""
    return request.headers.get("last-event-id") or request.query_params.get("since") or None


class Room:
    """What the clients of one selection share: who is at the same event gets the same bytes."""

    def __init__(self) -> None:
        self.clients = 0
        self._joined: tuple[Sequence[Published], bytes] = ((), b"")

    def join(self, hub: Hub, entries: Sequence[Published]) -> bytes:
        """Give the frames of consecutive events of the selection, joined once for all clients."""
        if not entries:
            return b""
        before, joined = self._joined
        if (
            len(before) != len(entries)
            or before[0] is not entries[0]
            or before[-1] is not entries[-1]
        ):
            frames = [hub.frame(each, sse.DIALECT) for each in entries if sse.carries(each.event)]
            joined = "".join(frames).encode()
            self._joined = entries, joined
        return joined


class EventStreams:
    """All event streams of one server, which share what is the same for many of them.

    Each client has a place in `connections`. Clients of one selection share what is
    joined for them, and all that have just been written to wake at one tick: a
    timer for each would cost more than its write. Those that catch up read a part in
    one of the `turns` each.
    """

    def __init__(
        self,
        connections: Places,
        *,
        turns: Turns | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        join_s: float = JOIN_S,
    ) -> None:
        self.turns = turns or Turns()
        self.heartbeat_s = heartbeat_s
        self.join_s = join_s
        self._least_join_s = join_s
        self._connections = connections
        self._waiting: list[asyncio.Future[None]] = []
        self._rooms: defaultdict[str, Room] = defaultdict(Room)

    async def serve(
        self,
        hub: Hub,
        selection: Selection,
        since: str | None,
        lease: AbstractAsyncContextManager[None],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Serve one client until it leaves or the hub closes.

        `since` is the id to resume after; without one the client gets the latest
        envelopes first. The `lease` is held meanwhile. HEAD gets the headers alone. When all
        places are taken, or the lease is refused, the answer is 503 and says so.
        """
        if not self._connections.admit():
            refusal = f"All {self._connections.limit} places are taken\n"
            await PlainTextResponse(refusal, status_code=503)(scope, receive, send)
            return
        try:
            async with AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(lease)
                except CommandError as error:
                    refusal = f"its feed does not deliver it: {error.problem}\n"
                    await PlainTextResponse(refusal, status_code=503)(scope, receive, send)
                    return
                await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
                if scope["method"] == "HEAD":
                    await send({"type": "http.response.body"})
                    return
                room = await stack.enter_async_context(self.room(selection))
                await _Client(self, room, hub, selection, send).run(receive, since=since)
        finally:
            self._connections.release()

    def tick(self, loop: asyncio.AbstractEventLoop, at: float) -> "asyncio.Future[None]":
        """Give what is done at about a time: when the first who waits wants to go on."""
        if not self._waiting:
            loop.call_at(at, self._wake)
        waiter = loop.create_future()
        self._waiting.append(waiter)
        return waiter

    @asynccontextmanager
    async def room(self, selection: Selection) -> AsyncGenerator[Room]:
        """Be in the room of a selection for as long as the block lasts."""
        room = self._rooms[selection.key]
        room.clients += 1
        try:
            yield room
        finally:
            room.clients -= 1
            if not room.clients:
                del self._rooms[selection.key]

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.join_s = max(self._least_join_s, WRITE_S * len(waiting))
        for waiter in waiting:
            if not waiter.done():  # its client has left
                waiter.set_result(None)


class _Client:
    """One client: its one writer, a watcher of its leaving, and the timer of its heartbeat.

    The timer waits for nobody and nobody for it. A client that does not read
    holds up its own writer alone: its subscription forgets the oldest events, and
    the client is told how many.
    """

    def __init__(
        self, streams: EventStreams, room: Room, hub: Hub, selection: Selection, send: Send
    ) -> None:
        self._streams = streams
        self._room = room
        self._hub = hub
        self._selection = selection
        self._subscription = hub.subscribe(
            name=selection.name,
            wants=_nothing,
            capacity=selection.capacity,
            policy=OverflowPolicy.DROP_OLDEST,
        )
        self._send = send
        self._heartbeat_due = False
        self._told_lost = 0

    async def run(self, receive: Receive, *, since: str | None) -> None:
        loop, interval_s = asyncio.get_running_loop(), self._streams.heartbeat_s

        def beat() -> None:
            nonlocal timer
            timer = loop.call_later(interval_s, beat)
            self._heartbeat_due = True
            self._subscription.wake()

        timer = loop.call_later(interval_s, beat)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(since), name="sse writer")
                while (await receive())["type"] != "http.disconnect":
                    pass  # a body, which means nothing here
                writer.cancel()
        finally:
            timer.cancel()
            self._subscription.close()

    async def _write(self, since: str | None) -> None:
        streams, subscription = self._streams, self._subscription
        loop = asyncio.get_running_loop()
        await self._begin(since)
        idle_at = 0.0
        while True:
            await subscription.ready()
            if loop.time() < idle_at:
                await streams.tick(loop, idle_at)
            if body := self._due():
                await self._send_body(body)
            if subscription.closed:
                await self._send({"type": "http.response.body"})
                return
            idle_at = loop.time() + streams.join_s

    async def _begin(self, since: str | None) -> None:
        """Send what comes before the live events; there is no gap and no double at the seam.

        However much was missed, it is read and sent in parts, and the subscription
        listens only from the last one on: the ring is the buffer until then.
        """
        while True:
            async with self._streams.turns.one():
                part = read_part(self._hub, self._selection, since)
                if part.since is None:
                    self._subscription.change_filter(self._selection.wants)
            if part.since is None:
                break
            if part.body:
                await self._send_body(part.body)
            since = part.since
        await self._send_body(part.body or sse.HEARTBEAT.encode())

    def _due(self) -> bytes:
        body = self._room.join(self._hub, self._subscription.take())
        lost = self._subscription.lost - self._told_lost
        if lost:
            self._told_lost += lost
            body = sse.encode_warn(lost).encode() + body
        if self._heartbeat_due:
            self._heartbeat_due = False
            body += sse.HEARTBEAT.encode()
        return body

    async def _send_body(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def _nothing(_topic: Topic) -> bool:
    return False
