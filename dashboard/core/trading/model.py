"""What a runner gets, holds and answers. Prices are in the currency traded in, times in ms UTC."""

from enum import StrEnum

import msgspec


class MarketData(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One bar, or one tick: then open, high, low and close are its price, volume is its own.

    `timestamp` is the open of the bar, or the tick's time, in ms. `bid` and `ask` are the last
    quote's, and the close where there is none. Valid when high >= low and open, close > 0.
    """

    symbol: str
    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float
    ask: float


class State(StrEnum):
    """What a runner is at; the function of its strategy that is called depends on it alone."""

    IDLE = "Idle"
    ANALYZING = "Analyzing"
    IN_POSITION = "InPosition"


class PositionSide(StrEnum):
    """Which way a position goes."""

    LONG = "Long"
    SHORT = "Short"


class Severity(StrEnum):
    """How bad an error is: nothing changed; a call failed; the runner ended."""

    WARNING = "Warning"
    ERROR = "Error"
    CRITICAL = "Critical"


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A simulated position; `exit_price` and `exit_timestamp` are None while it is open.

    `current_price` and `unrealized_pnl` are of the newest close; the latter is before fees.
    """

    entry_price: float
    quantity: float
    side: PositionSide
    entry_timestamp: int
    current_price: float
    stop_loss: float | None = None
    take_profit: float | None = None
    unrealized_pnl: float = 0.0
    exit_price: float | None = None
    exit_timestamp: int | None = None

    def profit_at(self, price: float) -> float:
        """Give what closing it at a price would earn, before fees."""
        if self.side is PositionSide.LONG:
            return (price - self.entry_price) * self.quantity
        return (self.entry_price - price) * self.quantity

    def priced(self, price: float) -> "Position":
        """Give the open position at a newer price."""
        return Position(
            entry_price=self.entry_price,
            quantity=self.quantity,
            side=self.side,
            entry_timestamp=self.entry_timestamp,
            current_price=price,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            unrealized_pnl=self.profit_at(price),
        )

    def closed(self, price: float, *, timestamp: int) -> "Position":
        """Give the position as it was closed; nothing of it is unrealized any more."""
        return Position(
            entry_price=self.entry_price,
            quantity=self.quantity,
            side=self.side,
            entry_timestamp=self.entry_timestamp,
            current_price=price,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            exit_price=price,
            exit_timestamp=timestamp,
        )


class TradeMade(msgspec.Struct, frozen=True, kw_only=True):
    """A position of a runner that was closed. All of it is simulated.

    `realized_pnl` is net of `fees`, those of both sides. `stale` marks a close at a price whose
    feed had gone silent.
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


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a runner has, at the current close and net of fees."""

    capital: float
    equity: float
    realized_pnl: float
    unrealized_pnl: float


class EnterLong(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Open a long position."""

    price: float
    quantity: float
    stop_loss: float | None = None
    take_profit: float | None = None


class EnterShort(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Open a short position."""

    price: float
    quantity: float
    stop_loss: float | None = None
    take_profit: float | None = None


class Exit(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Close the position."""

    price: float


class UpdateStopLoss(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Move the stop of the position."""

    new_stop: float


class UpdateTakeProfit(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Move the target of the position."""

    new_target: float


class StartAnalyzing(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Go from Idle to Analyzing."""

    reason: str


class CancelAnalysis(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """Go from Analyzing back to Idle."""

    reason: str


Action = (
    EnterLong
    | EnterShort
    | Exit
    | UpdateStopLoss
    | UpdateTakeProfit
    | StartAnalyzing
    | CancelAnalysis
)


class RunnerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a runner treats errors, and what it writes to its log; events are not affected."""

    stop_on_error: bool = False
    log_actions: bool = True
    log_positions: bool = False
    collect_metrics: bool = True


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What of a runner outlives a call, its worker and the product: what it goes on with.

    `realized_pnl` is net of fees. `context` is the strategy's own, a JSON object. `indicators`
    is what the sandbox needs to go on with them, and nobody else reads it. The window is kept
    beside it, by who hands over the bars.
    """

    state: State = State.IDLE
    position: Position | None = None
    realized_pnl: float = 0.0
    entry_fees: float = 0.0
    context: str = "{}"
    indicators: bytes = b""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner runs: a version of a strategy with its parameters, on one instrument.

    `bar` is `tick`, or a length such as `5m`. `seed` is what `math.random` begins with.
    """

    runner_id: str
    symbol: str
    exchange: str
    bar: str
    strategy_name: str
    version: int
    code: str
    parameters: dict[str, float] = {}
    capital: float = 100_000.0
    window_size: int = 100
    config: RunnerConfig = RunnerConfig()
    seed: str = ""
