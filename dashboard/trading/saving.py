"""Writes what runners hold: at once when a position changes, else once a second, and at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from dashboard.core.errors import StorageError
from dashboard.core.trading.model import TradeMade
from dashboard.storage.trading import TradingRepository
from dashboard.trading.recorder import Recorder
from dashboard.trading.runner import Runner, Status

log = structlog.get_logger(__name__)

WRITE_S = 1.0
MAX_UNWRITTEN = 10_000
"""The trades that wait for a database that does not answer; beyond, the oldest are lost."""

Value = TypeVar("Value")


class Saver:
    """The one writer of runners: a thread of its own. What is written is of one moment.

    `runners` gives those that there are. `clock` is in ns since the Unix epoch. While the
    database does not answer, all is tried again a second later; that is one line of the log.
    """

    def __init__(
        self,
        repository: TradingRepository,
        recorder: Recorder,
        *,
        runners: Callable[[], Collection[Runner]],
        clock: Callable[[], int],
    ) -> None:
        self._repository = repository
        self._recorder = recorder
        self._runners = runners
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runners")
        self._changed: set[Runner] = set()
        self._trades: list[TradeMade] = []
        self._due = asyncio.Event()
        self._write: asyncio.Future[None] | None = None
        self._failing = False

    def note(self, runner: Runner) -> None:
        """Write what a runner holds within a second."""
        self._changed.add(runner)

    def note_now(self, runner: Runner, *trades: TradeMade) -> None:
        """Write what a runner holds, and what it has closed, as soon as that can be."""
        self._changed.add(runner)
        self._trades.extend(trades)
        del self._trades[:-MAX_UNWRITTEN]
        self._due.set()

    async def do(self, work: Callable[[TradingRepository], Value]) -> Value:
        """Do something else with the database, in the order of what is written.

        Raises:
            StorageError: when the database cannot do it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, self._repository)

    async def remove(self, runner: Runner) -> None:
        """Forget a runner and what was recorded of it; its closed trades stay.

        Raises:
            StorageError: when the database cannot do it.
        """
        await self.do(lambda kept: kept.remove_runner(runner.key))
        await self.do(lambda _: self._recorder.forget(runner.program.runner_id))

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Write what is due until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self.write()
            if self._failing:
                await sleep(WRITE_S)

    async def run_seconds(
        self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Let what has changed be due each second, until cancelled."""
        while True:
            await sleep(WRITE_S)
            self._due.set()

    async def write(self) -> None:
        """Write all that there is to be written; what cannot be is kept for the next time.

        A write that has begun goes on though nobody waits for it any more.
        """
        while self._write is not None:
            await asyncio.wait([self._write])
        there = set(self._runners())
        changed = [each for each in self._changed if each in there]
        held, trades = [each.held() for each in changed], self._trades
        alive = [each.key for each in there if each.status is Status.RUNNING]
        self._changed, self._trades = set(), []
        if not (held or trades or alive):
            return
        recordings = [(each.recording, each.recording.take()) for each in changed]
        now = self._clock()

        def work() -> None:
            self._recorder.append(recordings)
            self._repository.write(held, trades, alive=alive, now=now)

        self._write = asyncio.get_running_loop().run_in_executor(self._thread, work)

        def done(write: asyncio.Future[None]) -> None:
            self._write = None
            error = write.exception()
            if error is None:
                for runner, each in zip(changed, held, strict=True):
                    runner.written = max(runner.written, each.bars)
            else:
                self._changed.update(changed)
                self._trades = [*trades, *self._trades]
            self._tell(error)

        self._write.add_done_callback(done)
        await asyncio.wait([self._write])

    async def close(self) -> None:
        """Write for the last time."""
        await self.write()
        self._thread.shutdown(wait=False)

    def _tell(self, error: BaseException | None) -> None:
        if error is None and self._failing:
            log.info("runners are written again")
        elif error is not None and not self._failing:
            problem = error.problem if isinstance(error, StorageError) else repr(error)
            log.error("runners cannot be written", problem=problem)
        self._failing = error is not None
