"""What is asked of the trading engine, each with the type of its answer. Pure, see `requests`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from dashboard.commands.requests import Command
from dashboard.core.principal import TRADE
from dashboard.core.trading.hosting import Parameter, Validated
from dashboard.core.trading.model import MarketData, Position, RunnerConfig, State, TradeMade

MAX_WINDOW = 10_000
MAX_CAPITAL = 1e15
MAX_NAME = 64
NAME_PATTERN = r"^[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*$"
ALLOWED_NAMES = "1 to 64 of A-Za-z0-9_.-, not of dots alone"
"""A path to `.` or `..` would lead elsewhere."""


class RunnerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A runner in a list."""

    runner_id: str
    symbol: str
    exchange: str
    status: str
    state: State
    has_position: bool
    unrealized_pnl: float
    realized_pnl: float
    ticks_processed: int
    errors: int
    uptime_ms: int
    strategy_name: str
    version: int
    bar: str
    feed_state: str


class RunnerStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner has done since it began; `error_rate` is errors a tick, times are of a step.

    `dropped` counts the ticks that it was too slow for, `late` those whose bar was over.
    """

    ticks_processed: int = 0
    actions_executed: int = 0
    errors: int = 0
    error_rate: float = 0.0
    avg_tick_us: float = 0.0
    min_tick_us: float = 0.0
    max_tick_us: float = 0.0
    dropped: int = 0
    late: int = 0


class RunnerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All of a runner; `status` is running, paused or stopped, `log` its newest lines."""

    runner_id: str
    symbol: str
    exchange: str
    bar: str
    strategy_name: str
    version: int
    status: str
    state: State
    position: Position | None
    context: Mapping[str, Any]
    stats: RunnerStats
    uptime_ms: int
    away_ms: int | None
    feed_state: str
    window_size: int
    window_len: int
    capital: float
    realized_pnl: float
    unrealized_pnl: float
    parameters: Mapping[str, float]
    config: RunnerConfig
    created_by: str
    log: Sequence[str] = ()
    paper: bool = True


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the trading engine does.

    A runner is healthy when it runs, its feed is not stale, and its last call had no error.
    `sandbox_lacks` names what the system does not have of what strategies are kept in with.
    """

    runners: int
    healthy: int
    sandbox_lacks: Sequence[str] = ()


class StrategySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy in a list; `category` is examples or custom."""

    name: str
    category: str
    version: int


class StrategyCode(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a strategy."""

    name: str
    category: str
    version: int
    code: str
    parameters: Mapping[str, Parameter]


class CreateRunner(Command[RunnerSummary], frozen=True, kw_only=True):
    """Make a runner and start it. Without an exchange the symbol is looked up, see `Directory`.

    `version` None is the newest; `bar` None is `tick`, or the interval of a feed of bars.
    Raises a TradingError.
    """

    scope: ClassVar[str] = TRADE

    runner_id: str
    symbol: str
    strategy_name: str
    exchange: str | None = None
    version: int | None = None
    parameters: Mapping[str, float] = {}
    capital: float = 100_000.0
    bar: str | None = None
    window_size: int = 100
    config: RunnerConfig = RunnerConfig()
    created_by: str = ""


class ControlRunner(Command[str], frozen=True, kw_only=True):
    """Pause, resume or stop a runner: `action` is one of these; the answer is a sentence."""

    scope: ClassVar[str] = TRADE

    runner_id: str
    action: str


class RemoveRunner(Command[None], frozen=True, kw_only=True):
    """Stop a runner and forget it, its closed trades excepted."""

    scope: ClassVar[str] = TRADE

    runner_id: str


class TellRunners(Command[Sequence[RunnerSummary]], frozen=True, kw_only=True):
    """Tell all runners, in the order of their ids."""


class TellRunner(Command[RunnerSnapshot], frozen=True, kw_only=True):
    """Tell all of one runner."""

    runner_id: str


class TellRunnerHistory(Command[Sequence[MarketData]], frozen=True, kw_only=True):
    """Tell the newest bars or ticks of a runner's window, oldest first."""

    runner_id: str
    count: int = 100


class TellTrades(Command[Sequence[TradeMade]], frozen=True, kw_only=True):
    """Tell the newest trades that runners of an id have closed, oldest first.

    They outlive the runner.
    """

    runner_id: str
    count: int = 100


class TellEngine(Command[EngineStatus], frozen=True, kw_only=True):
    """Tell how the trading engine does."""


class TellStrategies(Command[Sequence[StrategySummary]], frozen=True, kw_only=True):
    """Tell all strategies: the examples, then custom ones, by name."""


class TellStrategy(Command[StrategyCode], frozen=True, kw_only=True):
    """Tell a strategy; `version` None is the newest."""

    name: str
    version: int | None = None


class SaveStrategy(Command[StrategyCode], frozen=True, kw_only=True):
    """Keep code as a custom strategy, or as its next version, if it is valid."""

    scope: ClassVar[str] = TRADE

    name: str
    code: str
    created_by: str = ""


class ValidateStrategy(Command[Validated], frozen=True, kw_only=True):
    """Say what is wrong with code."""

    scope: ClassVar[str] = TRADE

    code: str
