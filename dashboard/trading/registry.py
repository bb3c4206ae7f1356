"""All runners: how they are made, paused, resumed, stopped, removed, and brought back."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import structlog

from dashboard.commands.trading import (
    ControlRunner,
    CreateRunner,
    EngineStatus,
    RemoveRunner,
    RunnerSnapshot,
    RunnerSummary,
    TellEngine,
    TellRunner,
    TellRunnerHistory,
    TellRunners,
    TellTrades,
)
from dashboard.core.directory import Directory
from dashboard.core.errors import StrategyError, TradingError
from dashboard.core.feed_state import FLOWING, FeedState
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import Leases
from dashboard.core.model import Channel, Kind, Topic
from dashboard.core.trading.hosting import Host
from dashboard.core.trading.lengths import choose_length, parse_length
from dashboard.core.trading.model import MarketData, Program, TradeMade
from dashboard.hub.hub import Hub
from dashboard.storage.trading import NewRunner, StoredRunner, TradingRepository
from dashboard.trading.asking import check_bounds, find_instrument, find_parameters, refused
from dashboard.trading.library import Library
from dashboard.trading.live_runner import LiveRunner
from dashboard.trading.runner import Runner, Status
from dashboard.trading.saving import Saver
from dashboard.trading.ticks import Ticks

log = structlog.get_logger(__name__)

START_S = 30
"""How long a request waits until the runners of before are back."""
DRAIN_S = 3
"""How long ticks may take that are on their way at the end: a call that ends at all is shorter."""
RUNNER_KINDS = tuple(kind for kind in Kind if kind.channel is Channel.RUNNERS)
UNLISTED = "no feed has its instrument any more"


class Registry:
    """Does what is asked of runners, see `commands.trading`; there are `limit` of them at most.

    `feed_state` tells how the feed of an instrument stands. `clock` is in ns since the Unix
    epoch, `monotonic` in ns of a clock that is never set.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        host: Host,
        library: Library,
        saver: Saver,
        ticks: Ticks,
        leases: Leases,
        directory: Callable[[], Directory],
        feed_state: Callable[[InstrumentKey], FeedState],
        clock: Callable[[], int],
        monotonic: Callable[[], int],
        limit: int,
    ) -> None:
        self._hub = hub
        self._host = host
        self._library = library
        self._saver = saver
        self._ticks = ticks
        self._leases = leases
        self._directory = directory
        self._feed_state = feed_state
        self._clock = clock
        self._monotonic = monotonic
        self._limit = limit
        self._runners: dict[str, LiveRunner] = {}
        self._making: set[str] = set()
        self._restored = asyncio.Event()
        self._controls = {"pause": self._pause, "resume": self._resume, "stop": self._stop}

    @property
    def runners(self) -> Collection[Runner]:
        """Give all runners."""
        return [each.runner for each in self._runners.values()]

    async def restore(self) -> None:
        """Bring back the runners of before, each as it was; once is enough.

        Raises:
            StorageError: when they cannot be read.
        """
        if self._restored.is_set():
            return
        for stored in await self._saver.do(TradingRepository.runners):
            await self._bring_back(stored)
        self._restored.set()

    async def create(self, asked: CreateRunner) -> RunnerSummary:
        """Make a runner and start it.

        Raises:
            TradingError: when it cannot be made; nothing is kept of it.
            StrategyError: when its code does not run.
        """
        await self._ready()
        check_bounds(asked)
        runner_id = asked.runner_id
        if runner_id in self._runners or runner_id in self._making:
            raise refused(f"there is a runner {runner_id!r} already; allowed: another runner_id")
        if len(self._runners) + len(self._making) >= self._limit:
            raise refused(f"there are {self._limit} runners, which is the limit; remove one first")
        instrument = find_instrument(self._directory(), asked)
        length = choose_length(asked.bar, bar_ms=instrument.bar_ms)
        self._making.add(runner_id)
        try:
            return await self._make(asked, instrument, length)
        finally:
            self._making.discard(runner_id)

    async def control(self, asked: ControlRunner) -> str:
        """Pause, resume or stop a runner; to do it twice is no error.

        Raises:
            TradingError: when there is no such runner, or it cannot.
            StrategyError: when a stopped one is resumed, and its code does not run.
        """
        control = self._controls.get(asked.action)
        if control is None:
            allowed = ", ".join(self._controls)
            raise refused(f"action {asked.action[:100]!r} is not allowed; allowed: {allowed}")
        async with self._alone(asked.runner_id) as live:
            return await control(live)

    async def remove(self, asked: RemoveRunner) -> None:
        """Stop a runner and forget it, its closed trades excepted.

        Raises:
            TradingError: when there is no such runner.
        """
        async with self._alone(asked.runner_id) as live:
            await self._stop(live)
            await self._saver.write()  # its trades
            await self._saver.remove(live.runner)
            del self._runners[asked.runner_id]
            for kind in RUNNER_KINDS:
                self._hub.end(Topic(kind, "", asked.runner_id))

    async def tell_all(self, _asked: TellRunners) -> Sequence[RunnerSummary]:
        """Tell all runners, in the order of their ids."""
        await self._ready()
        now = self._monotonic()
        return [
            live.runner.summary(feed_state=self._state_of(live), monotonic_ns=now)
            for _, live in sorted(self._runners.items())
        ]

    async def tell(self, asked: TellRunner) -> RunnerSnapshot:
        """Tell all of one runner.

        Raises:
            TradingError: when there is no such runner.
        """
        live = await self._find(asked.runner_id)
        state = self._state_of(live)
        return live.runner.snapshot(feed_state=state, monotonic_ns=self._monotonic())

    async def tell_history(self, asked: TellRunnerHistory) -> Sequence[MarketData]:
        """Tell the newest bars of a runner's window.

        Raises:
            TradingError: when there is no such runner.
        """
        return (await self._find(asked.runner_id)).runner.history(asked.count)

    async def tell_trades(self, asked: TellTrades) -> Sequence[TradeMade]:
        """Tell the newest trades of an id, which outlive the runner."""
        await self._saver.write()
        return await self._saver.do(lambda kept: kept.trades(asked.runner_id, asked.count))

    async def tell_status(self, _asked: TellEngine) -> EngineStatus:
        """Tell how all of it does."""
        return EngineStatus(
            runners=len(self._runners),
            healthy=sum(map(self._is_healthy, self._runners.values())),
            sandbox_lacks=self._host.lacking,
        )

    async def keep_up(self) -> None:
        """Wait until all runners have dealt with what the hub has published."""
        await self._restored.wait()
        self._ticks.take()
        drains = (self._host.drain(runner_id) for runner_id in self._runners)
        await asyncio.gather(*drains)

    async def drain(self) -> None:
        """Give no more ticks to anybody, and wait for those that are on their way, but not long."""
        fed = [each for each in self._runners.values() if each.follower is not None]
        for each in fed:
            each.rest()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                drains = (self._host.drain(each.runner.program.runner_id) for each in fed)
                await asyncio.gather(*drains)

    async def _make(
        self, asked: CreateRunner, instrument: Instrument, length: str
    ) -> RunnerSummary:
        strategy = await self._library.find(asked.strategy_name, asked.version)
        program = Program(
            runner_id=asked.runner_id,
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            bar=length,
            strategy_name=strategy.name,
            version=strategy.version,
            code=strategy.code,
            parameters=find_parameters(strategy.parameters, asked.parameters),
            capital=asked.capital,
            window_size=asked.window_size,
            config=asked.config,
            seed=f"{asked.runner_id} {strategy.name} {strategy.version}",
        )
        new = NewRunner(
            program=program,
            status=Status.RUNNING,
            created_by=asked.created_by,
            ts_created=self._clock(),
        )
        live = self._new(Runner(program, created_by=asked.created_by, began_ns=self._monotonic()))
        async with self._taken(live, instrument):
            live.runner.key = await self._saver.do(lambda kept: kept.add_runner(new))
        self._runners[asked.runner_id] = live
        live.start()
        return live.runner.summary(feed_state=self._state_of(live), monotonic_ns=self._monotonic())

    @asynccontextmanager
    async def _taken(self, live: LiveRunner, instrument: Instrument) -> AsyncGenerator[None]:
        """Let a runner have its lease, its place at the host and its ticks, if a block succeeds.

        Raises:
            TradingError: when the feed does not deliver the instrument.
            StrategyError: when its code does not run.
        """
        runner_id = live.runner.program.runner_id
        async with AsyncExitStack() as undone:
            undone.callback(live.leave)
            for problem in (await live.take_lease(self._leases, instrument)).values():
                what = f"its feed does not deliver {instrument.id}: {problem}"
                raise TradingError(code="ENGINE_ERROR", problem=what)
            await self._load(live, instrument)
            undone.callback(self._host.unload, runner_id)
            yield
            undone.pop_all()

    async def _load(self, live: LiveRunner, instrument: Instrument) -> None:
        """Let the host have a runner as it is, and the runner what its instrument does.

        Raises:
            StrategyError: when its code does not run.
        """
        runner, program = live.runner, live.runner.program
        runner.begin_recording()
        await self._host.load(
            program,
            committed=runner.committed,
            window=list(runner.window),
            stepped=live.take,
            ended=partial(self._end, live, critical=True),
        )
        give = partial(self._host.give, program.runner_id)
        live.follower = self._ticks.follow(instrument, parse_length(program.bar), give)

    async def _bring_back(self, stored: StoredRunner) -> None:
        """Let a runner of before go on: one that cannot is stopped, and says why."""
        runner = Runner.restored(stored, began_ns=self._monotonic(), now_ns=self._clock())
        live = self._runners[stored.program.runner_id] = self._new(runner)
        if runner.status is Status.STOPPED:
            return
        instrument = self._directory().get((stored.program.exchange, stored.program.symbol))
        if instrument is None:
            self._end(live, UNLISTED, critical=True)
            return
        refusals = await live.take_lease(self._leases, instrument)
        for problem in refusals.values():
            log.warning("a runner's instrument is refused", instrument=instrument.id, error=problem)
        live.is_delivered = not refusals
        try:
            await self._load(live, instrument)
        except StrategyError as error:
            self._end(live, error.problem, critical=True)
            return
        if runner.status is Status.RUNNING:
            live.start()

    async def _pause(self, live: LiveRunner) -> str:
        runner = live.runner
        if runner.status is Status.RUNNING:
            live.rest()
            runner.status = Status.PAUSED
            await self._host.drain(runner.program.runner_id)
            self._saver.note_now(runner)
        if runner.status is Status.STOPPED:  # perhaps by what it still had to do
            raise refused("the runner is stopped; allowed: to pause one that is running")
        return "the runner is paused"

    async def _resume(self, live: LiveRunner) -> str:
        if live.runner.status is Status.PAUSED:
            live.runner.status = Status.RUNNING
            live.go_on()
        elif live.runner.status is Status.STOPPED:
            await self._begin_anew(live)
        self._saver.note_now(live.runner)
        return "the runner is running"

    async def _begin_anew(self, live: LiveRunner) -> None:
        before, program = live.runner, live.runner.program
        instrument = self._directory().get((program.exchange, program.symbol))
        if instrument is None:
            raise refused(f"{UNLISTED}: {program.exchange}:{program.symbol}")
        live.runner = before.anew(began_ns=self._monotonic())
        try:
            async with self._taken(live, instrument):
                live.is_delivered = True
        except BaseException:
            live.runner = before
            raise
        live.start()

    async def _stop(self, live: LiveRunner) -> str:
        runner = live.runner
        if runner.status is not Status.STOPPED:
            live.rest()
            await self._host.drain(runner.program.runner_id)
            self._end(live, "stopped", critical=False)
        return "the runner is stopped"

    def _end(self, live: LiveRunner, reason: str, *, critical: bool) -> None:
        """Let a runner end, if it has not ended yet."""
        if live.runner.status is not Status.STOPPED:
            self._host.unload(live.runner.program.runner_id)
            stale = self._state_of(live) not in FLOWING
            live.end(reason, critical=critical, stale=stale)

    def _new(self, runner: Runner) -> LiveRunner:
        return LiveRunner(runner, publish=self._hub.publish, saver=self._saver, clock=self._clock)

    @asynccontextmanager
    async def _alone(self, runner_id: str) -> AsyncGenerator[LiveRunner]:
        """Have a runner while nobody else changes its status.

        Raises:
            TradingError: when there is no such runner.
        """
        live = await self._find(runner_id)
        async with live.lock:
            if self._runners.get(runner_id) is not live:
                raise _not_found(runner_id)
            yield live

    async def _find(self, runner_id: str) -> LiveRunner:
        await self._ready()
        live = self._runners.get(runner_id)
        if live is None:
            raise _not_found(runner_id)
        return live

    async def _ready(self) -> None:
        """Wait until the runners of before are back.

        Raises:
            TradingError: when that takes too long.
        """
        if self._restored.is_set():
            return
        try:
            async with asyncio.timeout(START_S):
                await self._restored.wait()
        except TimeoutError as error:
            problem = "the runners of before are not back yet"
            raise TradingError(code="ENGINE_ERROR", problem=problem) from error

    def _state_of(self, live: LiveRunner) -> FeedState:
        program = live.runner.program
        state = self._feed_state((program.exchange, program.symbol))
        return state if live.is_delivered else FeedState.STALE

    def _is_healthy(self, live: LiveRunner) -> bool:
        runner = live.runner
        broken = self._state_of(live) in {FeedState.STALE, FeedState.FAILED}
        return runner.status is Status.RUNNING and not runner.failing and not broken


def _not_found(runner_id: str) -> TradingError:
    problem = f"there is no runner {runner_id[:100]!r}; allowed: those of GET /api/runners"
    return TradingError(code="RUNNER_NOT_FOUND", problem=problem)
