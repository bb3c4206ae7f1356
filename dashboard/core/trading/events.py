"""What runners tell. Each is of one runner; all are simulated, no order leaves the product.

`ts_event` is the time of the bar or tick that it came with, so that the same run gives the
same events.
"""

from enum import StrEnum
from typing import ClassVar

from dashboard.core.model import EVENT_BYTES, Event, Kind, Topic, weigh_text
from dashboard.core.trading.model import Action, MarketData, Position, Severity, State


class Reason(StrEnum):
    """Why a position was closed."""

    EXIT = "exit"
    STOP_LOSS = "stop loss"
    TAKE_PROFIT = "take profit"
    RUNNER_STOPPED = "runner stopped"
    END_OF_DATA = "end of data"
    RUINED = "ruined"


class RunnerEvent(Event, frozen=True, kw_only=True, gc=False):
    """Base of the events of one runner, which trades `symbol` on `exchange`."""

    conflatable: ClassVar[bool] = False

    runner_id: str
    symbol: str
    exchange: str

    @property
    def topic(self) -> Topic:
        """Give the topic of this runner's events of this type."""
        return Topic(self.kind, "", self.runner_id)


class TickReceived(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """A bar or a tick has reached the runner."""

    kind: ClassVar[Kind] = Kind.TICK_RECEIVED
    conflatable: ClassVar[bool] = True

    data: MarketData


class StateTransition(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """The runner has gone from one state to another; `reason` is the real one."""

    kind: ClassVar[Kind] = Kind.STATE_TRANSITION

    from_state: State
    to_state: State
    reason: str


class ActionExecuted(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """An action of the strategy was carried out, at the prices that it was filled at."""

    kind: ClassVar[Kind] = Kind.ACTION_EXECUTED

    action: Action


class PositionOpened(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """A position was opened."""

    kind: ClassVar[Kind] = Kind.POSITION_OPENED

    position: Position


class PositionUpdated(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """The open position at the newest close."""

    kind: ClassVar[Kind] = Kind.POSITION_UPDATED
    conflatable: ClassVar[bool] = True

    unrealized_pnl: float
    current_price: float


class PositionClosed(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """The position was closed; `realized_pnl` is net of the fees of both sides.

    `fees` are those. `stale` marks a close at a price whose feed had gone silent.
    """

    kind: ClassVar[Kind] = Kind.POSITION_CLOSED

    position: Position
    realized_pnl: float
    exit_price: float
    reason: Reason
    fees: float = 0.0
    stale: bool = False


class RunnerError(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """Something went wrong; it is `Error` on the wire.

    `line` is that of the strategy's code, where it is known.
    """

    kind: ClassVar[Kind] = Kind.RUNNER_ERROR

    severity: Severity
    error: str
    line: int | None = None

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory."""
        return EVENT_BYTES + weigh_text(self.error)


class RunnerStarted(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """The runner runs; `away_ms` is how long it did not, where it was restored."""

    kind: ClassVar[Kind] = Kind.RUNNER_STARTED

    away_ms: int | None = None


class RunnerStopped(RunnerEvent, frozen=True, kw_only=True, gc=False):
    """The runner runs no more."""

    kind: ClassVar[Kind] = Kind.RUNNER_STOPPED

    reason: str


AnyRunnerEvent = (
    TickReceived
    | StateTransition
    | ActionExecuted
    | PositionOpened
    | PositionUpdated
    | PositionClosed
    | RunnerError
    | RunnerStarted
    | RunnerStopped
)
