"""What a connection of the stream server asks of the stream that it serves."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.types import Scope

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.fanout.cohort import Receiver
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.outbox import Outbox
from dashboard.fanout.pace import SHARE_WAIT_S, Pace
from dashboard.fanout.wire import Wire
from dashboard.hub.failures import Survival
from dashboard.hub.subscription import Subscription

NS_PER_S = 1_000_000_000
BACKLOG_EVENTS = 64
"""So many events in one turn of the loop mean that a feed is behind."""
BACKLOG_S = 0.1
"""How much longer than planned frames may wait until it is not."""
RETRY_S = 0.05
"""How long the next dispatch waits at least after one that failed, which may have taken nothing."""


class Refusal(NamedTuple):
    """Why a client may not stay: a close code and a reason."""

    code: int
    reason: str


GOING_AWAY = Refusal(1001, "the server is shutting down")


class StreamClient(Receiver, Protocol):
    """One connection as its stream sees it."""

    @property
    def scope(self) -> Scope:
        """Describe its handshake, as ASGI does."""
        ...

    async def drained(self) -> None:
        """Wait until what it was sent has left, as far as its buffer is full otherwise."""
        ...

    def end(self, refusal: Refusal = GOING_AWAY) -> None:
        """Close it, after what is due to it already. Safe to call twice."""
        ...


class Streams(Protocol):
    """One kind of stream, and all its clients, whichever door they came by.

    Where it `asks_for_key` its clients show one by a request; else the handshake has shown it.
    Where it `evicts`, who reads nothing for a while is closed with 1008.
    """

    fanout: Fanout
    turns: Turns
    places: Places
    max_request_bytes: int
    """Who sends a larger request is closed with 1009."""
    asks_for_key: bool
    evicts: bool

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        ...

    def outbox(self, wire: Wire, /) -> Outbox:
        """Make an outbox for a client with this wire."""
        ...

    def open(self, client: StreamClient) -> None:
        """Let a client in; who was let in must be `close`d."""
        ...

    async def begin(self, client: StreamClient) -> None:
        """Send what an open client begins with. Hand in no request before this has returned."""
        ...

    def close(self, client: StreamClient) -> None:
        """End a client's subscriptions. Safe for one that was not let in."""
        ...

    def authenticated(self, client: StreamClient) -> bool:
        """Tell whether an open client has shown who it is, where that is asked."""
        ...

    async def answer(self, client: StreamClient, raw: bytes, *, address: str) -> None:
        """Answer one request. Do not hand in the next one before this has returned."""
        ...


class Pump:
    """Carry a stream from the hub to its clients: dispatch, flush, wait, again.

    The wait joins frames; its length follows from what a flush and all else cost, so with few
    clients, or after a silence, a tick leaves at once. With many, one lane is flushed
    at a time. A dispatch or a flush that fails is counted by `survival`, and the next one comes.
    """

    def __init__(
        self, fanout: Fanout, *, survival: Survival, share_wait_s: float = SHARE_WAIT_S
    ) -> None:
        self.pace = Pace(lanes=fanout.lanes, share_wait_s=share_wait_s)
        self._fanout = fanout
        self._survival = survival
        self._flushed_cpu_s = time.thread_time()

    async def run(
        self,
        subscription: Subscription,
        dispatch: Callable[[], None],
        *,
        next_due_s: Callable[[], float | None] = lambda: None,
        least_s: Callable[[], float] = lambda: 0,
    ) -> None:
        """Run until the subscription closes; what came before that still leaves.

        `next_due_s` tells after how many seconds to dispatch though no event has come,
        `least_s` how many seconds a dispatch shall cover at least.
        """
        loop = asyncio.get_running_loop()
        alarm: asyncio.TimerHandle | None = None
        began, left = -math.inf, 0
        while not subscription.closed:
            if not left:
                await subscription.ready()
            if subscription.is_ready:
                left = self._fanout.lanes
            before, began = began, time.perf_counter()
            failed = True
            with self._survival:
                dispatch()
                failed = False
            lanes = min(left, self.pace.lanes_after(began - before))
            left -= lanes
            with self._survival:
                self._flush(lanes, passed_s=began - before)
            if alarm is not None:
                alarm.cancel()
            due_s = next_due_s()
            alarm = None if due_s is None else loop.call_later(due_s, subscription.wake)
            least = RETRY_S if failed else least_s()
            await self._rest(subscription, began + max(self.pace.step_s, least))
        with self._survival:
            dispatch()
            self._fanout.flush()

    def _flush(self, lanes: int, *, passed_s: float) -> None:
        cpu_s = time.thread_time()  # what else the machine does says nothing about our work
        self.pace.worked(cpu_s - self._flushed_cpu_s, passed_s=passed_s)
        self._fanout.flush(lanes)
        self._flushed_cpu_s = time.thread_time()
        self.pace.spent(self._flushed_cpu_s - cpu_s, lanes=lanes)

    async def _rest(self, subscription: Subscription, until: float) -> None:
        """Wait, and longer while a feed is behind: it would never catch up beside our writing."""
        await asyncio.sleep(max(0.0, until - time.perf_counter()))
        came = len(subscription)
        while came >= BACKLOG_EVENTS and time.perf_counter() < until + BACKLOG_S:
            before = subscription.offered
            await asyncio.sleep(0)
            came = subscription.offered - before
