"""What is told of a step, in its order."""

from dashboard.core.trading.events import (
    ActionExecuted,
    AnyRunnerEvent,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    Reason,
    RunnerError,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.hosting import Failed
from dashboard.core.trading.ledger import Left
from dashboard.core.trading.model import (
    Action,
    MarketData,
    Position,
    Program,
    Severity,
    State,
)

NS_PER_MS = 1_000_000


class Teller:
    """Make the events of one runner.

    Transitions are told behind what has caused them, and a close behind its transition.
    """

    def __init__(self, program: Program) -> None:
        self._runner_id = program.runner_id
        self._symbol = program.symbol
        self._exchange = program.exchange
        self._ts_event = 0
        self._events: list[AnyRunnerEvent] = []
        self._moves: list[StateTransition] = []
        self._closed: PositionClosed | None = None

    def begin(self, timestamp: int) -> None:
        """Begin with a step at this time, in ms."""
        self._ts_event = timestamp * NS_PER_MS
        self._events = []

    def finish(self, position: Position | None, price: float) -> list[AnyRunnerEvent]:
        """Give all of the step, which has left this position, at this price."""
        events = self._events
        if self._moves:
            events += self._moves
            self._moves = []
        if self._closed is not None:
            events.append(self._closed)
            self._closed = None
        elif position is not None:
            events.append(
                PositionUpdated(
                    runner_id=self._runner_id,
                    symbol=self._symbol,
                    exchange=self._exchange,
                    ts_event=self._ts_event,
                    unrealized_pnl=position.profit_at(price),
                    current_price=price,
                )
            )
        return events

    def tell_tick(self, bar: MarketData) -> None:
        """Tell what the step takes in."""
        self._events.append(
            TickReceived(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                data=bar,
            )
        )

    def tell_failure(self, failed: Failed) -> None:
        """Tell what went wrong."""
        self._events.append(
            RunnerError(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                severity=Severity.WARNING if failed.warning else Severity.ERROR,
                error=failed.error,
                line=failed.line,
            )
        )

    def tell_action(self, action: Action) -> None:
        """Tell what was carried out, at the price that it was filled at."""
        self._events.append(
            ActionExecuted(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                action=action,
            )
        )

    def tell_opened(self, position: Position) -> None:
        """Tell a position."""
        self._events.append(
            PositionOpened(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                position=position,
            )
        )

    def tell_moved(self, from_state: State, to_state: State, reason: str) -> None:
        """Tell a transition, when its turn comes."""
        self._moves.append(
            StateTransition(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                from_state=from_state,
                to_state=to_state,
                reason=reason,
            )
        )

    def tell_closed(self, left: Left, reason: Reason, *, stale: bool) -> None:
        """Tell a close, when its turn comes."""
        self._closed = PositionClosed(
            runner_id=self._runner_id,
            symbol=self._symbol,
            exchange=self._exchange,
            ts_event=self._ts_event,
            position=left.position,
            realized_pnl=left.realized_pnl,
            exit_price=left.price,
            reason=reason,
            fees=left.fees,
            stale=stale,
        )
