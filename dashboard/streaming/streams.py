"""What a connection of the stream server asks of the stream that it serves."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.types import Scope

from dashboard.access.turn_budget import TurnBudget
from dashboard.fanout.cohort import Receiver
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.pace import Pace
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


class StreamClient(Receiver, Protocol):
    """One connection as its stream sees it."""

    def end(self) -> None:
        """Say goodbye: the server is shutting down."""
        ...

    def revoke(self) -> None:
        """Close it: its key was revoked."""
        ...


class Streams(Protocol):
    """One kind of stream, and all its clients."""

    fanout: Fanout
    budget: TurnBudget
    max_request_bytes: int
    """Who sends a larger request is closed with 1009."""

    @property
    def closed(self) -> bool:
        """Tell whether the hub has closed, so that no client can be served any more."""
        ...

    async def open(self, client: StreamClient, scope: Scope) -> Refusal | None:
        """Let a client in, or say why not; who was let in must be `close`d.

        `scope` describes its handshake as ASGI does.
        """
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

    def __init__(self, fanout: Fanout, *, survival: Survival) -> None:
        self.pace = Pace(lanes=fanout.lanes)
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
        """Run until the subscription closes.

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
