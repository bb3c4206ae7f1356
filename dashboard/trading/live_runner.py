"""A runner at its place in the product: what it follows, what comes of its ticks, and its end."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import Holder, Leases
from dashboard.core.model import Event
from dashboard.core.trading.closing import close_runner
from dashboard.core.trading.events import (
    ActionExecuted,
    AnyRunnerEvent,
    PositionClosed,
    PositionOpened,
    RunnerError,
    RunnerStarted,
    RunnerStopped,
    TickReceived,
)
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Severity, TradeMade
from dashboard.trading.runner import Runner, Status
from dashboard.trading.saving import Saver
from dashboard.trading.ticks import Follower

NS_PER_MS = 1_000_000
HOLDER = "runners"
"""What the leases of runners are counted under."""
DROPPED = "ticks come faster than the strategy takes them: the oldest are dropped and counted"


class LiveRunner:
    """A runner with what it has of the product while it is not stopped.

    `lock` is held by who changes its status. `is_delivered` says whether the feed of its
    instrument has agreed to deliver it. `clock` is in ns since the Unix epoch.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        publish: Callable[[Event], object],
        saver: Saver,
        clock: Callable[[], int],
    ) -> None:
        self.runner = runner
        self.lock = asyncio.Lock()
        self.holder: Holder | None = None
        self.follower: Follower | None = None
        self.is_delivered = True
        self._publish = publish
        self._saver = saver
        self._clock = clock

    def take(self, stepped: Stepped) -> None:
        """Publish what has come of some ticks, in order, and keep what the runner holds now."""
        runner = self.runner
        if runner.status is Status.STOPPED:
            return
        runner.keep_bars(stepped.bars_wanted)
        runner.committed = stepped.committed
        self._tell(stepped.events)
        if stepped.dropped and not runner.tally.dropped:
            self._fail(DROPPED, Severity.WARNING)
        runner.tally.add(stepped, timed=runner.program.config.collect_metrics)
        if self.follower is not None:
            runner.tally.late = self.follower.late
        for line in stepped.log:
            runner.log.add(line)
        runner.recording.note(stepped)
        if runner.recording.is_full or runner.recording.is_lost:
            runner.begin_recording()
        self._saver.note(runner)

    def start(self) -> None:
        """Tell that the runner runs, and let it have what comes from now on."""
        program = self.runner.program
        self._publish(
            RunnerStarted(
                runner_id=program.runner_id,
                symbol=program.symbol,
                exchange=program.exchange,
                away_ms=self.runner.away_ms,
                ts_event=self._clock(),
            )
        )
        self.go_on()

    def end(self, reason: str, *, critical: bool, stale: bool) -> None:
        """Close the runner's position at the last price, and let it have nothing any more.

        `critical` tells the reason as an error. `stale` marks a price whose feed has gone silent.
        """
        runner, program = self.runner, self.runner.program
        if critical:
            runner.tally.errors += 1
            runner.failing = True
            self._fail(reason, Severity.CRITICAL)
        position, last = runner.committed.position, self.follower and self.follower.line.last
        closing = close_runner(
            program,
            runner.committed,
            price=last.close if last else position.current_price if position else 0.0,
            timestamp=last.timestamp if last else self._clock() // NS_PER_MS,
            stale=stale or last is None,
        )
        runner.committed = closing.committed
        runner.status = Status.STOPPED
        self._tell(closing.events)
        self._publish(
            RunnerStopped(
                runner_id=program.runner_id,
                symbol=program.symbol,
                exchange=program.exchange,
                reason=reason,
                ts_event=self._clock(),
            )
        )
        self.leave()
        self._saver.note_now(runner)

    async def take_lease(
        self, leases: Leases, instrument: Instrument
    ) -> Mapping[InstrumentKey, str]:
        """Lease the runner's instrument; give why it is refused, where it is."""
        self.holder = leases.holder(HOLDER)
        return await self.holder.add([instrument])

    def rest(self) -> None:
        """Let the runner have nothing for now."""
        if self.follower is not None:
            self.follower.rest()

    def go_on(self) -> None:
        """Let the runner have what comes from now on."""
        if self.follower is not None:
            self.follower.begin()

    def leave(self) -> None:
        """Give back what the runner has of the product. Safe to call twice."""
        if self.follower is not None:
            self.follower.leave()
            self.follower = None
        if self.holder is not None:
            self.holder.close()
            self.holder = None

    def _tell(self, events: Sequence[AnyRunnerEvent]) -> None:
        """Publish events of the runner, and note of them what it keeps: most are ticks."""
        runner, config, publish = self.runner, self.runner.program.config, self._publish
        for event in events:
            publish(event)
            if isinstance(event, TickReceived):
                runner.take_bar(event.data)
                runner.failing = False
            elif isinstance(event, RunnerError):
                runner.failing = runner.failing or event.severity is not Severity.WARNING
                runner.log.add(f"{event.severity}: {event.error}")
            elif isinstance(event, ActionExecuted):
                if config.log_actions:
                    runner.log.add(f"action: {msgspec.json.encode(event.action).decode()}")
            elif isinstance(event, PositionOpened | PositionClosed):
                if config.log_positions:
                    runner.log.add(f"position: {msgspec.json.encode(event.position).decode()}")
                trades = [self._trade(event)] if isinstance(event, PositionClosed) else []
                self._saver.note_now(runner, *trades)

    def _trade(self, closed: PositionClosed) -> TradeMade:
        program, position = self.runner.program, closed.position
        return TradeMade(
            runner_id=program.runner_id,
            symbol=program.symbol,
            exchange=program.exchange,
            strategy_name=program.strategy_name,
            version=program.version,
            side=position.side,
            quantity=position.quantity,
            entry_price=position.entry_price,
            exit_price=closed.exit_price,
            entry_timestamp=position.entry_timestamp,
            exit_timestamp=position.exit_timestamp or closed.ts_event // NS_PER_MS,
            realized_pnl=closed.realized_pnl,
            fees=closed.fees,
            reason=closed.reason,
            stale=closed.stale,
        )

    def _fail(self, error: str, severity: Severity) -> None:
        """Tell of an error that no step has told of."""
        program = self.runner.program
        failed = RunnerError(
            runner_id=program.runner_id,
            symbol=program.symbol,
            exchange=program.exchange,
            severity=severity,
            error=error,
            ts_event=self._clock(),
        )
        self._tell([failed])
