"""One runner as the product holds it: what it is, what it holds, and what it has done."""

from collections import deque
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any

import msgspec

from dashboard.commands.trading import RunnerSnapshot, RunnerStats, RunnerSummary
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, MarketData, Program
from dashboard.storage.trading import Held, StoredRunner
from dashboard.trading.recorder import Recording

LOG_BYTES = 64 * 1024
NS_PER_MS = 1_000_000

_decode_context = msgspec.json.Decoder(dict[str, Any]).decode


class Status(StrEnum):
    """Whether a runner gets what its instrument does."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Tally(msgspec.Struct, kw_only=True):
    """What a runner has done since it began; it is kept in the database."""

    ticks: int = 0
    actions: int = 0
    errors: int = 0
    dropped: int = 0
    late: int = 0
    total_us: float = 0.0
    min_us: float = 0.0
    max_us: float = 0.0
    timed: int = 0
    """The ticks that the times are of."""

    def add(self, stepped: Stepped, *, timed: bool) -> None:
        """Count what came of some ticks."""
        if timed and stepped.ticks:
            self.min_us = min(self.min_us, stepped.min_us) if self.timed else stepped.min_us
            self.max_us = max(self.max_us, stepped.max_us)
            self.total_us += stepped.total_us
            self.timed += stepped.ticks
        self.ticks += stepped.ticks
        self.actions += stepped.actions
        self.errors += stepped.errors
        self.dropped += stepped.dropped

    @property
    def stats(self) -> RunnerStats:
        """Give it as it is told."""
        return RunnerStats(
            ticks_processed=self.ticks,
            actions_executed=self.actions,
            errors=self.errors,
            error_rate=self.errors / self.ticks if self.ticks else 0.0,
            avg_tick_us=round(self.total_us / self.timed, 3) if self.timed else 0.0,
            min_tick_us=round(self.min_us, 3),
            max_tick_us=round(self.max_us, 3),
            dropped=self.dropped,
            late=self.late,
        )


class RunnerLog:
    """The newest lines of a runner, at most 64 KB."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._bytes = 0

    def add(self, line: str) -> None:
        """Add a line; the oldest make room for it."""
        line = line[:LOG_BYTES]
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > LOG_BYTES:
            self._bytes -= len(self._lines.popleft())

    @property
    def lines(self) -> Sequence[str]:
        """Give the lines, oldest first."""
        return tuple(self._lines)


class Runner:
    """A runner; `key` is that of the database, `began_ns` monotonic.

    `failing` says that its last call had an error. `window` has the newest bars, `bars` counts
    all that there ever were, and `written` those that the database has been given.
    """

    def __init__(self, program: Program, *, created_by: str, began_ns: int) -> None:
        self.program = program
        self.key = 0
        self.created_by = created_by
        self.status = Status.RUNNING
        self.committed = Committed()
        self.tally = Tally()
        self.log = RunnerLog()
        self.recording = Recording(program.runner_id)
        self.window: deque[MarketData] = deque(maxlen=program.window_size)
        self.bars = 0
        self.began_ns = began_ns
        self.away_ms: int | None = None
        self.failing = False
        self.written = 0

    @classmethod
    def restored(cls, stored: StoredRunner, *, began_ns: int, now_ns: int) -> "Runner":
        """Make it as it was when it was last written."""
        runner = cls(stored.program, created_by=stored.created_by, began_ns=began_ns)
        runner.key = stored.key
        runner.status = Status(stored.status)
        runner.committed = stored.committed
        runner.tally = msgspec.json.decode(stored.stats, type=Tally)
        runner.keep_bars(len(stored.window))
        runner.window.extend(stored.window)
        runner.bars = runner.written = stored.bars
        runner.away_ms = max(0, (now_ns - stored.ts_alive) // NS_PER_MS)
        return runner

    def anew(self, *, began_ns: int) -> "Runner":
        """Give one that begins anew, with the same context, log and recording."""
        runner = Runner(self.program, created_by=self.created_by, began_ns=began_ns)
        runner.key = self.key
        runner.committed = Committed(context=self.committed.context)
        runner.log = self.log
        runner.recording = self.recording
        runner.bars = runner.written = self.bars
        return runner

    def begin_recording(self) -> None:
        """Record what it goes on with."""
        self.recording.begin(self.program, self.committed, self.window)

    def take_bar(self, bar: MarketData) -> None:
        """Take a bar into the window."""
        self.window.append(bar)
        self.bars += 1

    def keep_bars(self, count: int) -> None:
        """Keep so many bars, the size of the window or more."""
        if count > (self.window.maxlen or 0):
            self.window = deque(self.window, maxlen=count)

    @property
    def window_len(self) -> int:
        """Count the bars that the window has, of its size at most."""
        return min(len(self.window), self.program.window_size)

    def history(self, count: int) -> list[MarketData]:
        """Give the newest bars of the window, oldest first."""
        first = len(self.window) - min(count, self.window_len)
        return list(islice(self.window, first, None))

    def held(self) -> Held:
        """Give what there is to be written of it."""
        added = min(self.bars - self.written, len(self.window))
        return Held(
            key=self.key,
            status=self.status,
            committed=self.committed,
            stats=msgspec.json.encode(self.tally).decode(),
            bars=self.bars,
            kept=len(self.window),
            added=list(islice(self.window, len(self.window) - added, None)),
        )

    @property
    def unrealized_pnl(self) -> float:
        """Give what its position has gained at the newest close, net of fees."""
        position = self.committed.position
        return 0.0 if position is None else position.unrealized_pnl - self.committed.entry_fees

    @property
    def context(self) -> Mapping[str, Any]:
        """Give what its strategy remembers."""
        return _decode_context(self.committed.context)

    def uptime_ms(self, monotonic_ns: int) -> int:
        """Tell for how long it has been running, or paused; 0 once it is stopped."""
        if self.status is Status.STOPPED:
            return 0
        return (monotonic_ns - self.began_ns) // NS_PER_MS

    def summary(self, *, feed_state: str, monotonic_ns: int) -> RunnerSummary:
        """Give it as a list has it."""
        program, committed = self.program, self.committed
        return RunnerSummary(
            runner_id=program.runner_id,
            symbol=program.symbol,
            exchange=program.exchange,
            status=self.status,
            state=committed.state,
            has_position=committed.position is not None,
            unrealized_pnl=self.unrealized_pnl,
            realized_pnl=committed.realized_pnl,
            ticks_processed=self.tally.ticks,
            errors=self.tally.errors,
            uptime_ms=self.uptime_ms(monotonic_ns),
            strategy_name=program.strategy_name,
            version=program.version,
            bar=program.bar,
            feed_state=feed_state,
        )

    def snapshot(self, *, feed_state: str, monotonic_ns: int) -> RunnerSnapshot:
        """Give all of it."""
        program, committed = self.program, self.committed
        return RunnerSnapshot(
            runner_id=program.runner_id,
            symbol=program.symbol,
            exchange=program.exchange,
            bar=program.bar,
            strategy_name=program.strategy_name,
            version=program.version,
            status=self.status,
            state=committed.state,
            position=committed.position,
            context=self.context,
            stats=self.tally.stats,
            uptime_ms=self.uptime_ms(monotonic_ns),
            away_ms=self.away_ms,
            feed_state=feed_state,
            window_size=program.window_size,
            window_len=self.window_len,
            capital=program.capital,
            realized_pnl=committed.realized_pnl,
            unrealized_pnl=self.unrealized_pnl,
            parameters=program.parameters,
            config=program.config,
            created_by=self.created_by,
            log=self.log.lines,
        )
