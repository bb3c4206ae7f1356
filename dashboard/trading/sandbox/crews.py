"""Runners that share a worker, and the one line that leads to it."""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from dashboard.core.errors import StrategyError, WorkerLostError
from dashboard.core.trading.model import MarketData
from dashboard.hub.failures import Failures
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.links import Link
from dashboard.trading.sandbox.messages import Done, Loaded, Step, Unload
from dashboard.trading.sandbox.pool import Pool
from dashboard.trading.sandbox.seats import Seat

log = structlog.get_logger(__name__)

SPACING_S = 0.004
"""How long after a message the next one goes at the earliest, unless ticks pile up: so one
carries more of them."""
MESSAGE_TICKS = 250
"""How many ticks a message carries at most; their events are told in one go."""
RUNNER_TICKS = 50
PLACE = "runners"
"""Where failures of those are counted who are told of runners."""
AGAIN_S = 1.0
"""How long one waits before the runners are loaded once more, where nobody is to blame."""


class Crew:
    """The runners of one worker, which is replaced when it is lost.

    `is_own` marks one for a single runner, which takes too much time. `gone` is called with a
    runner that has ended, before it is told; `too_busy` with one that should have its own.
    """

    def __init__(
        self,
        pool: Pool,
        link: Link,
        limits: Limits,
        *,
        is_own: bool,
        failures: Failures,
        gone: Callable[[Seat], None],
        too_busy: Callable[[Seat], None],
    ) -> None:
        self.seats: dict[int, Seat] = {}
        self.is_own = is_own
        self._pool = pool
        self._link = link
        self._limits = limits
        self._failures = failures
        self._gone = gone
        self._too_busy = too_busy
        self._loop = asyncio.get_running_loop()
        self._loading: deque[Seat] = deque()
        self._unloading: deque[int] = deque()
        self._waiting: dict[int, Seat] = {}
        self._wake = asyncio.Event()
        self._recovered_s = -AGAIN_S
        self._is_retired = False

    def enter(self, seat: Seat) -> None:
        """Take a runner in; it is loaded as it stands."""
        self.seats[seat.number] = seat
        self._loading.append(seat)
        if seat.waits:
            self._waiting[seat.number] = seat
        self._wake.set()

    def leave(self, seat: Seat) -> None:
        """Let a runner go; of what is under way nothing reaches it any more."""
        self._forget(seat)
        if seat in self._loading:
            self._loading.remove(seat)
        else:
            self._unloading.append(seat.number)
            self._wake.set()

    def notice(self, seat: Seat) -> None:
        """See that a runner has ticks."""
        if seat.number not in self._waiting:
            self._waiting[seat.number] = seat
            self._wake.set()

    def retire(self) -> None:
        """Have the worker ended."""
        self._is_retired = True
        self._wake.set()

    async def run(self) -> None:
        """Hand over what waits, until it is retired."""
        if self.is_own:
            self._link.be_nice()
        try:
            while not self._is_retired:
                try:
                    await self._serve()
                except WorkerLostError as lost:
                    await self._recover(lost)
        finally:
            await self._pool.give_up(self._link)

    async def _serve(self) -> None:
        next_s = 0.0
        while not self._is_retired:
            if self._unloading:
                await self._link.ask(Unload(self._unloading.popleft()))
            elif self._loading:
                await self._load(self._loading.popleft())
            elif self._waiting:
                began_s = self._loop.time()
                if began_s < next_s:
                    await asyncio.sleep(next_s - began_s)
                    continue  # runners may have come and gone meanwhile
                is_full = await self._step()
                next_s = 0.0 if is_full else began_s + SPACING_S
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _load(self, seat: Seat) -> None:
        answer = await self._link.ask(seat.make_load())
        if seat.number not in self.seats or not isinstance(answer, Loaded):
            return
        if answer.problem is not None:
            self._end(seat, answer.problem, answer.line)
        elif not seat.loaded.done():
            seat.loaded.set_result(None)

    async def _step(self) -> bool:
        """Have the ticks stepped that wait, in turn; tell whether there were too many of them."""
        ticks: list[tuple[int, list[MarketData]]] = []
        room = MESSAGE_TICKS
        is_full = False
        for number, seat in self._waiting.items():
            sent = seat.send(min(RUNNER_TICKS, room))
            ticks.append((number, sent))
            room -= len(sent)
            is_full = is_full or len(sent) == RUNNER_TICKS or room == 0
            if room == 0:
                break
        answer = await self._link.ask(Step(ticks))
        if isinstance(answer, Done):
            self._take(answer)
        for number, _ in ticks:
            if seat := self.seats.get(number):
                seat.call_back()
        return is_full

    def _take(self, done: Done) -> None:
        """Tell what came of ticks; whose turn it was goes to the end of the line."""
        now_s = self._loop.time()
        for each in done.runners:
            seat = self.seats.get(each.number)
            if seat is None:
                continue
            del self._waiting[seat.number]
            with self._failures.at(PLACE):
                seat.take(each.stepped)
            if each.ended is not None:
                self._end(seat, each.ended)
            elif seat.number in self.seats:
                if seat.waits:
                    self._waiting[seat.number] = seat
                if seat.is_busy(each.cpu_us, now_s) and not self.is_own and len(self.seats) > 1:
                    self._too_busy(seat)

    async def _recover(self, lost: WorkerLostError) -> None:
        """End who is to blame, and go on with the others in another worker."""
        culprit = self.seats.get(lost.number)
        log.warning(
            "strategy worker lost",
            error=lost.problem,
            runner=None if culprit is None else culprit.runner_id,
        )
        if culprit is not None:
            self._end(culprit, f"Lua error: {lost.problem}")
        elif self._loop.time() - self._recovered_s < AGAIN_S:
            await asyncio.sleep(AGAIN_S)
        self._recovered_s = self._loop.time()
        await self._pool.give_up(self._link)
        if self._is_retired:
            return
        self._link = await self._pool.take()
        if self.is_own:
            self._link.be_nice()
        self._unloading.clear()
        self._loading = deque(self.seats.values())
        for seat in self._loading:
            seat.call_back()

    def _end(self, seat: Seat, reason: str, line: int | None = None) -> None:
        """End a runner, or tell that it has not begun."""
        if seat.number not in self.seats:
            return  # it was unloaded by who was told of its last ticks
        self._forget(seat)
        self._gone(seat)
        if seat.loaded.done():
            with self._failures.at(PLACE):
                seat.ended(reason)
        else:
            seat.loaded.set_exception(StrategyError(problem=reason, line=line))

    def _forget(self, seat: Seat) -> None:
        del self.seats[seat.number]
        self._waiting.pop(seat.number, None)
        seat.call_back()
