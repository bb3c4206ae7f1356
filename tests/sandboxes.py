"""A sandbox to test with: runners in real workers, and what they tell."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from dashboard.core.trading.events import RunnerError, TickReceived
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, MarketData
from dashboard.hub.failures import Failures
from dashboard.trading.sandbox.host import SandboxHost
from dashboard.trading.sandbox.limits import Limits
from tests.lua import bar, code, program

COUNTING = code("context.n = (context.n or 0) + 1; return nil")
"""A healthy strategy: its context says how many ticks it has had."""
TICK_S = 0.01


@asynccontextmanager
async def running_host(
    limits: Limits | None = None, *, failures: Failures | None = None
) -> AsyncIterator[SandboxHost]:
    """Run a host."""
    host = SandboxHost(limits, failures=failures)
    task = asyncio.create_task(host.run())
    try:
        yield host
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Runner:
    """A runner in a host, with all that is told of it."""

    def __init__(self, host: SandboxHost, runner_id: str, text: str = COUNTING) -> None:
        self.runner_id = runner_id
        self.ended: str | None = None
        self.stepped: list[Stepped] = []
        self.times_s: list[float] = []
        self.told = asyncio.Event()
        self.failed_s: float | None = None
        """When it erred or ended first."""
        self._host = host
        self._text = text
        self._given = 0

    async def load(
        self, *, committed: Committed | None = None, window: Sequence[MarketData] = ()
    ) -> None:
        await self._host.load(
            program(self._text, runner_id=self.runner_id),
            committed=committed,
            window=window,
            stepped=self._take,
            ended=self._end,
        )

    def give(self, count: int = 1) -> None:
        for _ in range(count):
            self._host.give(self.runner_id, bar(timestamp=self._given))
            self._given += 1

    async def drain(self) -> None:
        await self._host.drain(self.runner_id)

    def unload(self) -> None:
        self._host.unload(self.runner_id)

    def _take(self, stepped: Stepped) -> None:
        self.stepped.append(stepped)
        self.told.set()
        self.times_s.append(time.monotonic())
        if stepped.errors:
            self._note_failure()

    def _end(self, reason: str) -> None:
        self.ended = reason
        self._note_failure()

    def _note_failure(self) -> None:
        if self.failed_s is None:
            self.failed_s = time.monotonic()

    @property
    def given(self) -> list[int]:
        return list(range(self._given))

    @property
    def ticks(self) -> list[int]:
        """Give the ticks that were told, by their numbers."""
        return [
            event.data.timestamp
            for stepped in self.stepped
            for event in stepped.events
            if isinstance(event, TickReceived)
        ]

    @property
    def errors(self) -> list[str]:
        return [
            event.error
            for stepped in self.stepped
            for event in stepped.events
            if isinstance(event, RunnerError)
        ]

    @property
    def context(self) -> str:
        return self.stepped[-1].committed.context if self.stepped else "{}"

    @property
    def log(self) -> list[str]:
        return [line for stepped in self.stepped for line in stepped.log]

    def find_gap(self, since_s: float) -> float:
        """Give the longest time that nothing was told of it, in seconds."""
        times = [since_s, *(each for each in self.times_s if each > since_s)]
        return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


class Neighbours:
    """Healthy runners, and what becomes of them beside one that is not."""

    def __init__(self, host: SandboxHost, count: int) -> None:
        self._host = host
        self._runners = [Runner(host, f"healthy {number}") for number in range(count)]

    async def load(self) -> None:
        for runner in self._runners:
            await runner.load()

    async def live_beside(self, hostile: Runner, *, for_s: float) -> float:
        """Give all of them ticks until the hostile one has failed, or for so long; give the gap.

        It is the longest time in seconds that one of the healthy was silent.
        """
        began_s = time.monotonic()
        while hostile.failed_s is None and time.monotonic() < began_s + for_s:
            await self._tick(hostile)
        for _ in range(20):
            await self._tick(hostile)
        for runner in self._runners:
            await runner.drain()
        return max(runner.find_gap(began_s) for runner in self._runners)

    async def _tick(self, hostile: Runner) -> None:
        for runner in (*self._runners, hostile):
            runner.give()
        await asyncio.sleep(TICK_S)

    def check(self) -> None:
        """See that each has had each of its ticks once, in order, and has kept its context."""
        for runner in self._runners:
            assert runner.ended is None
            assert runner.errors == []
            assert runner.ticks == runner.given
            assert runner.context == f'{{"n":{len(runner.given)}}}'
