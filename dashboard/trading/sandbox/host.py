"""Runs strategies in worker processes: `hosting.Host`."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import cast

import structlog

from dashboard.core.errors import StrategyError, WorkerLostError
from dashboard.core.trading.hosting import Problem, Stepped, Validated
from dashboard.core.trading.model import Committed, MarketData, Program
from dashboard.hub.failures import Failures
from dashboard.trading.sandbox.crews import Crew
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.links import Link
from dashboard.trading.sandbox.messages import VALIDATING, Checked, Validate
from dashboard.trading.sandbox.pool import Pool
from dashboard.trading.sandbox.seats import Seat

log = structlog.get_logger(__name__)


class SandboxHost:
    """Workers, and which runner is in which; it serves while `run` runs.

    Up to `Limits.runners` share a worker. One whose calls take too much time gets its own, as
    long as there are fewer than `Limits.workers`; its neighbours do not notice. `failures`
    counts where who is told of a runner fails.
    """

    def __init__(self, limits: Limits | None = None, *, failures: Failures | None = None) -> None:
        self._limits = limits or Limits()
        self._failures = failures or Failures()
        self._pool = Pool(self._limits)
        self._group = asyncio.TaskGroup()
        self._is_running = asyncio.Event()
        self._numbers = count(VALIDATING + 1)
        self._places: dict[str, tuple[Seat, Crew]] = {}
        self._crews: list[Crew] = []
        self._moving: set[int] = set()
        self._placing = asyncio.Lock()
        self._validating = asyncio.Lock()
        self._validator: Link | None = None

    async def run(self) -> None:
        """Run the workers; when this ends, they end. Once more, and all runners go on."""
        try:
            async with asyncio.TaskGroup() as self._group:
                for crew in self._crews:
                    self._group.create_task(crew.run())
                self._is_running.set()
                await self._pool.run()
        finally:
            self._is_running.clear()
            self._moving.clear()
            self._validator = None
            await self._pool.close()

    @property
    def lacking(self) -> Sequence[str]:
        """Name the layers of the sandbox that this system has not; known with the first worker."""
        return self._pool.lacking

    async def validate(self, code: str) -> Validated:
        """Say what is wrong with code, and what parameters it has."""
        if fault := _find_fault(code):
            return Validated(problems=(Problem(fault),))
        await self._is_running.wait()
        async with self._validating:
            while True:
                link = await self._take_validator()
                try:
                    answer = await link.ask(Validate(code))
                except WorkerLostError as lost:
                    if lost.number == VALIDATING:
                        return Validated(problems=(Problem(f"Lua error: {lost.problem}"),))
                else:
                    return cast("Checked", answer).validated

    async def _take_validator(self) -> Link:
        """Give the worker that validates, another one where it was lost."""
        if self._validator is not None and self._validator.is_lost:
            await self._pool.give_up(self._validator)
            self._validator = None
        if self._validator is None:
            self._validator = await self._pool.take()
        return self._validator

    async def load(
        self,
        program: Program,
        *,
        committed: Committed | None,
        window: Sequence[MarketData],
        stepped: Callable[[Stepped], None],
        ended: Callable[[str], None],
    ) -> None:
        """Make a runner ready, anew or with what it held; `window` is oldest first.

        One of the same id that is there is unloaded first.

        Raises:
            StrategyError: the code cannot run.
        """
        if fault := _find_fault(program.code):
            raise StrategyError(problem=fault)
        self.unload(program.runner_id)
        seat = Seat(
            next(self._numbers),
            program,
            self._limits,
            committed=committed,
            window=window,
            stepped=stepped,
            ended=ended,
        )
        await self._is_running.wait()
        async with self._placing:
            self._place(seat, self._find_room() or await self._begin_crew(is_own=False))
        try:
            await seat.loaded
        except asyncio.CancelledError:
            self.unload(program.runner_id)
            raise

    def give(self, runner_id: str, tick: MarketData) -> None:
        """Hand over a tick; of too many the oldest are dropped, and counted."""
        place = self._places.get(runner_id)
        if place is not None:
            seat, crew = place
            seat.give(tick)
            crew.notice(seat)

    async def drain(self, runner_id: str) -> None:
        """Wait until all that was given has been stepped, or the runner has ended."""
        place = self._places.get(runner_id)
        if place is not None:
            await place[0].drain()

    def unload(self, runner_id: str) -> None:
        """Forget a runner and what waits for it. One that is not there is no error."""
        place = self._places.get(runner_id)
        if place is None:
            return
        seat, crew = place
        crew.leave(seat)
        self._forget(seat)
        if not seat.loaded.done():
            seat.loaded.set_exception(StrategyError(problem="it was unloaded"))

    def _place(self, seat: Seat, crew: Crew) -> None:
        self._places[seat.runner_id] = seat, crew
        crew.enter(seat)

    def _find_room(self) -> Crew | None:
        """Give the crew with the most room, or None where all are full."""
        shared = [crew for crew in self._crews if not crew.is_own]
        emptiest = min(shared, key=lambda crew: len(crew.seats), default=None)
        if emptiest is None or len(emptiest.seats) >= self._limits.runners:
            return None
        return emptiest

    async def _begin_crew(self, *, is_own: bool) -> Crew:
        crew = Crew(
            self._pool,
            await self._pool.take(),
            self._limits,
            is_own=is_own,
            failures=self._failures,
            gone=self._forget,
            too_busy=self._give_own,
        )
        self._crews.append(crew)
        self._group.create_task(crew.run())
        return crew

    def _forget(self, seat: Seat) -> None:
        """Forget a runner that has left its crew."""
        _, crew = self._places.pop(seat.runner_id)
        seat.leave()
        self._tidy(crew)

    def _tidy(self, crew: Crew) -> None:
        """End a worker that nobody needs any more; one is kept for those to come."""
        others = any(each is not crew and not each.is_own for each in self._crews)
        if not crew.seats and (crew.is_own or others):
            self._crews.remove(crew)
            crew.retire()

    def _give_own(self, seat: Seat) -> None:
        if len(self._pool) < self._limits.workers and seat.number not in self._moving:
            self._moving.add(seat.number)
            self._group.create_task(self._move(seat))

    async def _move(self, seat: Seat) -> None:
        """Give a runner a worker of its own, if it is still there then."""
        own = await self._begin_crew(is_own=True)
        self._moving.remove(seat.number)
        place = self._places.get(seat.runner_id)
        if place is None or place[0] is not seat:
            self._tidy(own)
            return
        log.info("strategy gets a worker of its own", runner=seat.runner_id)
        shared = place[1]
        shared.leave(seat)
        self._place(seat, own)
        self._tidy(shared)


def _find_fault(code: str) -> str | None:
    """Say why code cannot even be handed over."""
    try:
        code.encode()
    except UnicodeEncodeError:
        return "the code is no text that UTF-8 can hold"
    return None
