"""One step of a runner: a bar or a tick in, events out.

It is the same for live runners, backtests and tests. It waits for nothing and knows no clock:
all times are those of the bars.
"""

from msgspec.structs import replace

from dashboard.core.trading.actions import find_reason, parse_action
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
from dashboard.core.trading.fills import find_bounds, find_fill
from dashboard.core.trading.fsm import TRANSITIONS, Trigger
from dashboard.core.trading.hosting import Failed, Returned, Strategy
from dashboard.core.trading.lengths import TICK
from dashboard.core.trading.model import (
    Account,
    Action,
    CancelAnalysis,
    Committed,
    EnterLong,
    EnterShort,
    Exit,
    MarketData,
    Position,
    PositionSide,
    Program,
    Severity,
    StartAnalyzing,
    State,
    UpdateStopLoss,
    UpdateTakeProfit,
)

NS_PER_MS = 1_000_000


class Machine:
    """A runner's state, position and profit, around its strategy.

    It begins anew, or with what was `committed`. `ended` says why it steps no more: an error
    that its sandbox does not survive, or any error where the runner is to stop at one. Nothing
    is closed then: whoever holds the runner does that, see `closing`. `fills_at_close` counts
    the actions whose price the close made worse.
    """

    def __init__(self, program: Program, committed: Committed | None, strategy: Strategy) -> None:
        begun = committed or Committed()
        self.ended: str | None = None
        self.fills_at_close = 0
        self._strategy = strategy
        self._runner_id = program.runner_id
        self._symbol = program.symbol
        self._exchange = program.exchange
        self._capital = program.capital
        self._is_tick = program.bar == TICK
        self._stop_on_error = program.config.stop_on_error
        self._state = begun.state
        self._position = begun.position  # as it was opened or last moved; the price is beside it
        self._price = 0.0 if begun.position is None else begun.position.current_price
        self._realized_pnl = begun.realized_pnl
        self._entry_fees = begun.entry_fees
        self._flat = self._make_account(0.0)
        self._timestamp = 0
        self._ts_event = 0
        self._events: list[AnyRunnerEvent] = []
        self._moves: list[StateTransition] = []  # told behind what has caused them
        self._closed: PositionClosed | None = None

    @property
    def committed(self) -> Committed:
        """Give what to go on with after the last step."""
        context, indicators = self._strategy.committed()
        return Committed(
            state=self._state,
            position=None if self._position is None else self._position.priced(self._price),
            realized_pnl=self._realized_pnl,
            entry_fees=self._entry_fees,
            context=context,
            indicators=indicators,
        )

    def step(self, bar: MarketData) -> list[AnyRunnerEvent]:
        """Take in a bar, or a tick, and give what comes of it, in order; nothing once it has ended.

        One function of the strategy is called, that of the state it finds. Stop and target are
        checked at the close, after what that has done.
        """
        if self.ended is not None:
            return []
        self._begin(bar.close, bar.timestamp)
        self._events.append(
            TickReceived(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                data=bar,
            )
        )
        answer, warnings = self._strategy.advance(
            bar, function=self._state, account=self._find_account()
        )
        for warning in warnings:
            self._fail(warning)
        if answer is not None:
            self._take(answer, bar)
        if self._position is not None:
            self._check_at_close(self._position)
        return self._finish()

    def close(
        self, price: float, *, timestamp: int, reason: Reason, stale: bool = False
    ) -> list[AnyRunnerEvent]:
        """Go back to Idle, whatever the strategy is at, and give what comes of that."""
        self._begin(price, timestamp)
        if self._position is not None:
            self._leave(self._position, price, Trigger.END, reason, stale=stale)
        elif self._state is not State.IDLE:
            self._move(Trigger.END, reason)
        return self._finish()

    def _begin(self, price: float, timestamp: int) -> None:
        self._price = price
        self._timestamp = timestamp
        self._ts_event = timestamp * NS_PER_MS
        self._events = []

    def _finish(self) -> list[AnyRunnerEvent]:
        """Add what is told last, and give all that has come of a step."""
        events = self._events
        if self._moves:
            events += self._moves
            self._moves = []
        position = self._position
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
                    unrealized_pnl=position.profit_at(self._price),
                    current_price=self._price,
                )
            )
        return events

    def _find_account(self) -> Account:
        """Give the account at the present price."""
        position = self._position
        if position is None:
            return self._flat
        return self._make_account(position.profit_at(self._price) - self._entry_fees)

    def _make_account(self, unrealized_pnl: float) -> Account:
        return Account(
            capital=self._capital,
            equity=self._capital + self._realized_pnl + unrealized_pnl,
            realized_pnl=self._realized_pnl,
            unrealized_pnl=unrealized_pnl,
        )

    def _take(self, answer: Returned | Failed, bar: MarketData) -> None:
        """Do what the strategy has answered; what is refused changes nothing."""
        if isinstance(answer, Failed):
            self._fail(answer)
            return
        if self._state is State.IDLE:
            action = StartAnalyzing(reason=find_reason(answer.values))
        else:
            action = parse_action(answer.values, state=self._state, close=bar.close)
        if isinstance(action, Failed):
            self._fail(action)
        else:
            self._carry_out(action, bar)

    def _carry_out(self, action: Action, bar: MarketData) -> None:
        """Do what the state allows."""
        position = self._position
        if isinstance(action, StartAnalyzing):
            self._move(Trigger.START, action.reason)
        elif isinstance(action, CancelAnalysis):
            self._tell_action(action)
            self._move(Trigger.CANCEL, action.reason)
        elif isinstance(action, EnterLong | EnterShort):
            price = self._find_fill("entry", action.price, bar, buys=isinstance(action, EnterLong))
            if price is not None:
                self._enter(action, price)
        elif position is not None:
            self._manage(position, action, bar)

    def _manage(
        self,
        position: Position,
        action: Exit | UpdateStopLoss | UpdateTakeProfit,
        bar: MarketData,
    ) -> None:
        if isinstance(action, Exit):
            buys = position.side is PositionSide.SHORT
            price = self._find_fill("exit", action.price, bar, buys=buys)
            if price is not None:
                self._tell_action(Exit(price=price))
                self._leave(position, price, Trigger.EXIT, Reason.EXIT)
            return
        self._tell_action(action)
        if isinstance(action, UpdateStopLoss):
            self._position = replace(position, stop_loss=action.new_stop)
        else:
            self._position = replace(position, take_profit=action.new_target)

    def _find_fill(self, of: str, price: float, bar: MarketData, *, buys: bool) -> float | None:
        """Give what an action is filled at; None, with a warning, where it cannot be."""
        least, greatest = find_bounds(bar, is_tick=self._is_tick)
        if not least <= price <= greatest:
            problem = f"{of} price {price!r} is not allowed; allowed: {least!r} to {greatest!r}"
            self._fail(Failed(problem, warning=True))
            return None
        fill = find_fill(price, close=bar.close, buys=buys, is_tick=self._is_tick)
        if fill != price:
            self.fills_at_close += 1
        return fill

    def _enter(self, action: EnterLong | EnterShort, price: float) -> None:
        """Open a position."""
        is_long = isinstance(action, EnterLong)
        self._tell_action(replace(action, price=price))
        position = self._position = Position(
            entry_price=price,
            quantity=action.quantity,
            side=PositionSide.LONG if is_long else PositionSide.SHORT,
            entry_timestamp=self._timestamp,
            current_price=price,
            stop_loss=action.stop_loss,
            take_profit=action.take_profit,
        ).priced(self._price)
        self._events.append(
            PositionOpened(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                position=position,
            )
        )
        self._move(Trigger.ENTRY, "enter long" if is_long else "enter short")

    def _check_at_close(self, position: Position) -> None:
        """Close a position whose stop or target the price has reached, the stop first."""
        price, stop, target = self._price, position.stop_loss, position.take_profit
        if position.side is PositionSide.LONG:
            stopped = stop is not None and price <= stop
            taken = target is not None and price >= target
        else:
            stopped = stop is not None and price >= stop
            taken = target is not None and price <= target
        if stopped:
            self._leave(position, price, Trigger.STOP, Reason.STOP_LOSS)
        elif taken:
            self._leave(position, price, Trigger.TARGET, Reason.TAKE_PROFIT)

    def _leave(
        self,
        position: Position,
        price: float,
        trigger: Trigger,
        reason: str,
        *,
        stale: bool = False,
    ) -> None:
        """Close the position."""
        fees = self._entry_fees
        realized_pnl = position.profit_at(price) - fees
        self._position = None
        self._entry_fees = 0.0
        self._realized_pnl += realized_pnl
        self._flat = self._make_account(0.0)
        self._move(trigger, reason)
        self._closed = PositionClosed(
            runner_id=self._runner_id,
            symbol=self._symbol,
            exchange=self._exchange,
            ts_event=self._ts_event,
            position=position.closed(price, timestamp=self._timestamp),
            realized_pnl=realized_pnl,
            exit_price=price,
            reason=reason,
            fees=fees,
            stale=stale,
        )

    def _move(self, trigger: Trigger, reason: str) -> None:
        """Go where the table says."""
        before, self._state = self._state, TRANSITIONS[self._state, trigger]
        self._moves.append(
            StateTransition(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                from_state=before,
                to_state=self._state,
                reason=reason,
            )
        )

    def _tell_action(self, action: Action) -> None:
        self._events.append(
            ActionExecuted(
                runner_id=self._runner_id,
                symbol=self._symbol,
                exchange=self._exchange,
                ts_event=self._ts_event,
                action=action,
            )
        )

    def _fail(self, failed: Failed) -> None:
        """Tell what went wrong, and end where the runner cannot or shall not go on."""
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
        if failed.ends or (self._stop_on_error and not failed.warning):
            self.ended = failed.error
