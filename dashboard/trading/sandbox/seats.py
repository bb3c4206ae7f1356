"""A runner as the host holds it: what waits for it, and what it goes on with elsewhere."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec import structs

from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, MarketData, Program
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.messages import Load, pack_window

US_PER_MS = 1_000


class Seat:
    """One runner with its place in a worker.

    Ticks stay in its queue until they have been stepped: what a worker has not answered never
    happened. `committed` and the window are as of the last answer.
    """

    def __init__(
        self,
        number: int,
        program: Program,
        limits: Limits,
        *,
        committed: Committed | None,
        window: Sequence[MarketData],
        stepped: Callable[[Stepped], None],
        ended: Callable[[str], None],
    ) -> None:
        self.number = number
        self.stepped = stepped
        self.ended = ended
        self.loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._program = program
        self._committed = committed
        size = max(program.window_size, len(window))
        self._window: deque[MarketData] = deque(window, maxlen=size)
        self._limits = limits
        self._queue: deque[MarketData] = deque()
        self._sent = 0
        self._dropped = 0
        self._second = 0
        self._busy_us = 0.0
        self._drained: list[asyncio.Future[None]] = []

    @property
    def runner_id(self) -> str:
        """Give the runner's id."""
        return self._program.runner_id

    @property
    def waits(self) -> bool:
        """Tell whether it has ticks to be stepped."""
        return bool(self._queue)

    def give(self, tick: MarketData) -> None:
        """Put a tick at the end of the queue; of too many the oldest that was not sent goes."""
        queue = self._queue
        if len(queue) - self._sent >= self._limits.queued_ticks:
            del queue[self._sent]
            self._dropped += 1
        queue.append(tick)

    def make_load(self) -> Load:
        """Say what it goes on with."""
        return Load(self.number, self._program, self._committed, pack_window(self._window))

    def send(self, most: int) -> list[MarketData]:
        """Give the ticks to send, so many at most."""
        ticks = list(islice(self._queue, most))
        self._sent = len(ticks)
        return ticks

    def call_back(self) -> None:
        """Count what was sent as not sent."""
        self._sent = 0

    def take(self, stepped: Stepped) -> None:
        """Keep what came of the ticks that were sent, and tell it."""
        self._sent = 0
        window, queue = self._window, self._queue
        if window.maxlen is not None and stepped.bars_wanted > window.maxlen:
            window = self._window = deque(window, maxlen=stepped.bars_wanted)
        for _ in range(stepped.ticks):
            window.append(queue.popleft())
        self._committed = stepped.committed
        if self._dropped:
            stepped = structs.replace(stepped, dropped=self._dropped)
            self._dropped = 0
        if self._drained and not queue:
            self._tell_drained()
        self.stepped(stepped)

    def is_busy(self, cpu_us: float, now_s: float) -> bool:
        """Count what its calls have taken; tell whether that is too much of this second."""
        if int(now_s) != self._second:
            self._second, self._busy_us = int(now_s), 0.0
        self._busy_us += cpu_us
        return self._busy_us > self._limits.busy_ms * US_PER_MS

    async def drain(self) -> None:
        """Wait until nothing waits."""
        if self._queue:
            drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drained.append(drained)
            await drained

    def leave(self) -> None:
        """Forget what waits."""
        self._queue.clear()
        self._tell_drained()

    def _tell_drained(self) -> None:
        for drained in self._drained:
            if not drained.done():
                drained.set_result(None)
        self._drained.clear()
