"""What the trading engine's API takes and answers, as `/api/openapi.json` shows it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboard.api.engine_examples import CODE_ASKED, RUNNER_ASKED, STRATEGY_ASKED
from dashboard.commands.trading import (
    ALLOWED_NAMES,
    MAX_CAPITAL,
    MAX_NAME,
    MAX_WINDOW,
    NAME_PATTERN,
)
from dashboard.core.trading.lengths import ALLOWED as ALLOWED_BARS
from dashboard.core.trading.model import PositionSide, State

MAX_CODE_BYTES = 256 * 1024
MAX_PARAMETERS = 100
BAR_PATTERN = r"^(tick|[1-9][0-9]{0,4}[smhd])$"
PATTERNS = {NAME_PATTERN: ALLOWED_NAMES, BAR_PATTERN: ALLOWED_BARS}
"""What a text that does not match one of these should have been."""

Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN, description=ALLOWED_NAMES),
]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _check_code(code: str) -> str:
    if len(code.encode()) > MAX_CODE_BYTES:
        raise PydanticCustomError("too_long", "it is too long; allowed: 256 KB of UTF-8")
    return code


Code = Annotated[
    str,
    Field(max_length=MAX_CODE_BYTES, description="Lua 5.4, at most 256 KB of UTF-8"),
    AfterValidator(_check_code),
]


class Request(BaseModel):
    """Base of what is sent as a body: an unknown field is refused, and the known ones named."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _name_fields(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name in value:  # pyright: ignore[reportUnknownVariableType] - of any JSON object
                if name not in cls.model_fields:
                    allowed = ", ".join(cls.model_fields)
                    raise PydanticCustomError(
                        "unknown_field",
                        "field {name} is not known; allowed: {allowed}",
                        {"name": repr(name)[:100], "allowed": allowed},  # pyright: ignore[reportUnknownArgumentType] - its text alone
                    )
        return value  # pyright: ignore[reportUnknownVariableType] - pydantic looks at it next


class RunnerSettings(Request):
    """How a runner treats errors, and what goes into its log; events are not affected."""

    stop_on_error: bool = False
    log_actions: bool = True
    log_positions: bool = False
    collect_metrics: bool = True


class RunnerRequest(Request):
    """A runner to be made; it starts at once. It trades on paper."""

    model_config = ConfigDict(json_schema_extra={"examples": [RUNNER_ASKED]})

    runner_id: Name
    symbol: Annotated[
        str, Field(min_length=1, max_length=201, description="a symbol, or EXCHANGE:SYMBOL")
    ]
    strategy_name: Name
    exchange: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    parameters: Annotated[dict[str, Number], Field(max_length=MAX_PARAMETERS)] = {}
    capital: Annotated[Number, Field(gt=0, le=MAX_CAPITAL)] = 100_000.0
    bar: Annotated[str, Field(pattern=BAR_PATTERN, description=ALLOWED_BARS)] | None = None
    window_size: Annotated[int, Field(ge=1, le=MAX_WINDOW)] = 100
    config: RunnerSettings = RunnerSettings()


class CodeRequest(Request):
    """Code to be looked at."""

    model_config = ConfigDict(json_schema_extra={"examples": [CODE_ASKED]})

    code: Code


class StrategyRequest(Request):
    """A strategy to be kept, or its next version."""

    model_config = ConfigDict(json_schema_extra={"examples": [STRATEGY_ASKED]})

    name: Name
    code: Code


class ErrorDetail(TypedDict):
    """What was wrong, and what is allowed."""

    code: Literal[
        "RUNNER_NOT_FOUND",
        "STRATEGY_NOT_FOUND",
        "INVALID_REQUEST",
        "STRATEGY_ERROR",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "RATE_LIMITED",
        "ENGINE_ERROR",
    ]
    message: str


class ErrorAnswer(TypedDict):
    """Any error below these paths; `timestamp` is in ms since the Unix epoch."""

    status: Literal["error"]
    error: ErrorDetail
    timestamp: int


class RunnerMade(TypedDict):
    """A runner that was made."""

    runner_id: str
    symbol: str
    message: str


class Done(TypedDict):
    """What was done."""

    success: bool
    message: str


class RunnerEntry(TypedDict):
    """A runner in a list; profits are simulated, in the currency traded in, net of fees."""

    runner_id: str
    symbol: str
    exchange: str
    status: Literal["running", "paused", "stopped"]
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


class RunnerList(TypedDict):
    """Runners, in the order of their ids."""

    runners: Sequence[RunnerEntry]


class PositionEntry(TypedDict):
    """A simulated position; times are in ms since the Unix epoch, null is what there is not."""

    entry_price: float
    quantity: float
    side: PositionSide
    entry_timestamp: int
    current_price: float
    stop_loss: float | None
    take_profit: float | None
    unrealized_pnl: float
    exit_price: float | None
    exit_timestamp: int | None


class StatsEntry(TypedDict):
    """What a runner has done since it began; times are of one step, in microseconds.

    `dropped` counts the ticks that it was too slow for, `late` those whose bar was over.
    """

    ticks_processed: int
    actions_executed: int
    errors: int
    error_rate: float
    avg_tick_us: float
    min_tick_us: float
    max_tick_us: float
    dropped: int
    late: int


class SettingsEntry(TypedDict):
    """How a runner treats errors, and what goes into its log."""

    stop_on_error: bool
    log_actions: bool
    log_positions: bool
    collect_metrics: bool


class RunnerDetails(TypedDict):
    """All of a runner. `log` has its newest lines, those that its strategy prints among them.

    `away_ms` is for how long the product did not run it, where it was brought back.
    """

    runner_id: str
    symbol: str
    exchange: str
    bar: str
    strategy_name: str
    version: int
    status: Literal["running", "paused", "stopped"]
    state: State
    position: PositionEntry | None
    context: Mapping[str, str | int | float | bool | None]
    stats: StatsEntry
    uptime_ms: int
    away_ms: int | None
    feed_state: str
    window_size: int
    window_len: int
    capital: float
    realized_pnl: float
    unrealized_pnl: float
    parameters: Mapping[str, float]
    config: SettingsEntry
    created_by: str
    log: Sequence[str]
    paper: Literal[True]


class MarketDataEntry(TypedDict):
    """A bar with its open as its time, or a tick; times are in ms since the Unix epoch."""

    symbol: str
    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float
    ask: float


class TradeEntry(TypedDict):
    """A simulated position that was closed; `realized_pnl` is net of `fees`.

    `stale` marks a close at a price whose feed had gone silent.
    """

    runner_id: str
    symbol: str
    exchange: str
    strategy_name: str
    version: int
    side: PositionSide
    quantity: float
    entry_price: float
    exit_price: float
    entry_timestamp: int
    exit_timestamp: int
    realized_pnl: float
    fees: float
    reason: str
    stale: bool


class TradeList(TypedDict):
    """Trades, oldest first."""

    trades: Sequence[TradeEntry]


class SymbolEntry(TypedDict):
    """A symbol with the number of its runners."""

    symbol: str
    exchange: str
    runners: int


class SymbolList(TypedDict):
    """Symbols that have runners."""

    symbols: Sequence[SymbolEntry]


class StrategyEntry(TypedDict):
    """A strategy in a list, with its newest version."""

    name: str
    category: Literal["examples", "custom"]
    version: int


class StrategyList(TypedDict):
    """The examples, then custom strategies, by name."""

    strategies: Sequence[StrategyEntry]


class ParameterEntry(TypedDict):
    """A number that a strategy lets be set; null where a bound is open."""

    default: float
    min: float | None
    max: float | None


class StrategyDetails(StrategyEntry):
    """One version of a strategy."""

    code: str
    parameters: Mapping[str, ParameterEntry]


class StrategySaved(StrategyEntry):
    """A strategy that was kept."""

    parameters: Mapping[str, ParameterEntry]
    message: str


class CodeProblem(TypedDict):
    """What is wrong with code; lines count from 1, null is the whole."""

    message: str
    line: int | None


class CodeLookedAt(TypedDict):
    """Whether code can run as a strategy."""

    valid: bool
    errors: Sequence[CodeProblem]
    parameters: Mapping[str, ParameterEntry]
