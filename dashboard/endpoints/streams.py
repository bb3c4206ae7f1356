"""What a connection of the stream server asks of the stream that it serves."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.types import Scope

from dashboard.fanout.cohort import Receiver
from dashboard.fanout.fanout import Fanout
from dashboard.fanout.pace import Pace
from dashboard.hub.subscription import Subscription

NS_PER_S = 1_000_000_000


class Refusal(NamedTuple):
    """Why a client may not stay: a close code and a reason."""

    code: int
    reason: str


class StreamClient(Receiver, Protocol):
    """One connection as its stream sees it."""

    def end(self) -> None:
        """Say goodbye: the server is shutting down."""
        ...


class Streams(Protocol):
    """One kind of stream, and all its clients."""

    fanout: Fanout

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

    The wait joins frames; its length follows from what a flush costs, so with few
    clients, or after a silence, a tick leaves at once.
    """

    def __init__(self, fanout: Fanout) -> None:
        self.pace = Pace()
        self._fanout = fanout

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
        while not subscription.closed:
            await subscription.ready()
            began = time.perf_counter()
            dispatch()
            cpu_s = time.thread_time()  # what else the machine does says nothing about writing
            self._fanout.flush()
            self.pace.spent(time.thread_time() - cpu_s)
            if alarm is not None:
                alarm.cancel()
            due_s = next_due_s()
            alarm = None if due_s is None else loop.call_later(due_s, subscription.wake)
            interval_s = max(self.pace.interval_s, least_s())
            await asyncio.sleep(max(0.0, began + interval_s - time.perf_counter()))
