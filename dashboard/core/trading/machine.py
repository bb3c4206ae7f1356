"""One step of a runner: a bar or a tick in, events out.

It is the same for live runners, backtests and tests. It waits for nothing and knows no clock:
all times are those of the bars.
"""

from msgspec.structs import replace

from dashboard.core.trading.actions import find_reason, parse_action
from dashboard.core.trading.events import AnyRunnerEvent, Reason
from dashboard.core.trading.fills import find_at_close, find_bounds, find_fill, find_inside
from dashboard.core.trading.fsm import TRANSITIONS, Trigger
from dashboard.core.trading.hosting import Failed, Returned, Strategy
from dashboard.core.trading.ledger import Ledger
from dashboard.core.trading.lengths import parse_length
from dashboard.core.trading.model import (
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
    StartAnalyzing,
    State,
    UpdateStopLoss,
    UpdateTakeProfit,
)
from dashboard.core.trading.rules import Fill, Rules, Stops
from dashboard.core.trading.telling import Teller

REASONS = {
    Trigger.EXIT: Reason.EXIT,
    Trigger.STOP: Reason.STOP_LOSS,
    Trigger.TARGET: Reason.TAKE_PROFIT,
}
"""Why a position is left with each of these."""
Order = EnterLong | EnterShort | Trigger
"""An entry, or what a position is left with."""


class Machine:
    """A runner's state, position and profit, around its strategy.

    It begins anew, or with what was `committed`. `ended` says why it steps no more: an error
    that its sandbox does not survive, or any error where the runner is to stop at one. Nothing
    is closed then: whoever holds the runner does that, see `closing`. `fills_at_close` counts
    the actions whose price the close made worse.

    The `rules` are those of a backtest, whose run also ends, as `ruined`, when nothing is left
    at a close. What then waits for a later open is no part of what is committed.
    """

    def __init__(
        self,
        program: Program,
        committed: Committed | None,
        strategy: Strategy,
        *,
        rules: Rules | None = None,
    ) -> None:
        begun = committed or Committed()
        length_ms = parse_length(program.bar)
        self.ended: str | None = None
        self.fills_at_close = 0
        self._strategy = strategy
        self._teller = Teller(program)
        self._is_tick = length_ms is None
        self._stop_on_error = program.config.stop_on_error
        self._rules = rules
        self._at_close = rules is None or rules.stops is Stops.CLOSE
        self._delay_ms: int | None = None  # from the open of a bar to a fill of what it decides
        if rules is not None and rules.fill is Fill.NEXT_OPEN:
            self._delay_ms = (length_ms or 0) + rules.latency_ms
        self._ledger = Ledger(begun, capital=program.capital, rules=rules or Rules())
        self._state = begun.state
        self._price = 0.0 if begun.position is None else begun.position.current_price
        self._timestamp = 0
        self._waiting: Order | None = None
        self._due_ms = 0

    @property
    def committed(self) -> Committed:
        """Give what to go on with after the last step."""
        context, indicators = self._strategy.committed()
        position = self._ledger.position
        return Committed(
            state=self._state,
            position=None if position is None else position.priced(self._price),
            realized_pnl=self._ledger.realized_pnl,
            entry_fees=self._ledger.entry_fees,
            context=context,
            indicators=indicators,
        )

    def step(self, bar: MarketData) -> list[AnyRunnerEvent]:
        """Take in a bar, or a tick, and give what comes of it, in order; nothing once it has ended.

        One function of the strategy is called, that of the state it finds; none while an action
        waits. Stop and target are checked at the close after that, or inside the bar before it.
        """
        if self.ended is not None:
            return []
        self._begin(bar.close, bar.timestamp)
        self._teller.tell_tick(bar)
        if self._rules is not None:
            self._open(bar)
        answer, warnings = self._strategy.advance(
            bar,
            function=self._state if self._waiting is None else None,
            account=self._ledger.find_account(bar.close),
        )
        for warning in warnings:
            self._fail(warning)
        if answer is not None:
            self._take(answer, bar)
        if self._at_close and self._ledger.position is not None and self._waiting is None:
            reached = find_at_close(self._ledger.position, bar.close)
            if reached is not None:
                self._place(reached, bar.close)
        if self._rules is not None:
            self._check_equity(bar)
        return self._finish()

    def close(
        self, price: float, *, timestamp: int, reason: Reason, stale: bool = False
    ) -> list[AnyRunnerEvent]:
        """Go back to Idle, whatever the strategy is at, and give what comes of that."""
        self._begin(price, timestamp)
        self._waiting = None
        if self._ledger.position is not None:
            self._leave(self._ledger.position, price, Trigger.END, reason, stale=stale)
        elif self._state is not State.IDLE:
            self._move(Trigger.END, reason)
        return self._finish()

    def _begin(self, price: float, timestamp: int) -> None:
        self._price = price
        self._timestamp = timestamp
        self._teller.begin(timestamp)

    def _finish(self) -> list[AnyRunnerEvent]:
        return self._teller.finish(self._ledger.position, self._price)

    def _open(self, bar: MarketData) -> None:
        """Fill at its open what waits for a bar, then a stop or a target inside it."""
        order = self._waiting
        if order is not None and bar.timestamp >= self._due_ms:
            self._waiting = None
            self._fill(order, bar.open)
        position = self._ledger.position
        if position is None or self._at_close:
            return
        reached = find_inside(position, bar)
        if reached is not None:
            self._waiting = None
            self._fill(reached.trigger, reached.price)

    def _check_equity(self, bar: MarketData) -> None:
        """End the run where nothing is left at the close."""
        if self._ledger.find_account(bar.close).equity > 0:
            return
        self.ended = Reason.RUINED
        self._waiting = None
        if self._ledger.position is not None:
            self._leave(self._ledger.position, bar.close, Trigger.END, Reason.RUINED)

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
        position = self._ledger.position
        if isinstance(action, StartAnalyzing):
            self._move(Trigger.START, action.reason)
        elif isinstance(action, CancelAnalysis):
            self._teller.tell_action(action)
            self._move(Trigger.CANCEL, action.reason)
        elif isinstance(action, EnterLong | EnterShort):
            price = self._find_fill("entry", action.price, bar, buys=isinstance(action, EnterLong))
            if price is not None:
                self._place(action, price)
        elif position is not None:
            self._manage(position, action, bar)

    def _manage(
        self, position: Position, action: Exit | UpdateStopLoss | UpdateTakeProfit, bar: MarketData
    ) -> None:
        if isinstance(action, Exit):
            buys = position.side is PositionSide.SHORT
            price = self._find_fill("exit", action.price, bar, buys=buys)
            if price is not None:
                self._place(Trigger.EXIT, price)
            return
        self._teller.tell_action(action)
        if isinstance(action, UpdateStopLoss):
            self._ledger.position = replace(position, stop_loss=action.new_stop)
        else:
            self._ledger.position = replace(position, take_profit=action.new_target)

    def _find_fill(self, of: str, price: float, bar: MarketData, *, buys: bool) -> float | None:
        """Give what an action is filled at; None, with a warning, where it cannot be."""
        least, greatest = find_bounds(bar, is_tick=self._is_tick)
        if not least <= price <= greatest:
            problem = f"{of} price {price!r} is not allowed; allowed: {least!r} to {greatest!r}"
            self._fail(Failed(problem, warning=True))
            return None
        if self._delay_ms is not None:
            return price
        fill = find_fill(price, close=bar.close, buys=buys, is_tick=self._is_tick)
        if fill != price:
            self.fills_at_close += 1
        return fill

    def _place(self, order: Order, price: float) -> None:
        """Fill an order, or let it wait for an open."""
        if self._delay_ms is None:
            self._fill(order, price)
        else:
            self._waiting = order
            self._due_ms = self._timestamp + self._delay_ms

    def _fill(self, order: Order, price: float) -> None:
        if not isinstance(order, Trigger):
            self._enter(order, price)
        elif self._ledger.position is not None:
            self._leave(self._ledger.position, price, order, REASONS[order])

    def _enter(self, action: EnterLong | EnterShort, price: float) -> None:
        """Open a position."""
        position = self._ledger.enter(action, price, timestamp=self._timestamp)
        self._teller.tell_action(replace(action, price=position.entry_price))
        self._teller.tell_opened(position.priced(self._price))
        is_long = position.side is PositionSide.LONG
        self._move(Trigger.ENTRY, "enter long" if is_long else "enter short")

    def _leave(
        self,
        position: Position,
        price: float,
        trigger: Trigger,
        reason: Reason,
        *,
        stale: bool = False,
    ) -> None:
        """Close the position."""
        maker = trigger is Trigger.TARGET and not self._at_close
        left = self._ledger.leave(position, price, timestamp=self._timestamp, maker=maker)
        if trigger is Trigger.EXIT:
            self._teller.tell_action(Exit(price=left.price))
        self._move(trigger, reason)
        self._teller.tell_closed(left, reason, stale=stale)

    def _move(self, trigger: Trigger, reason: str) -> None:
        """Go where the table says."""
        before, self._state = self._state, TRANSITIONS[self._state, trigger]
        self._teller.tell_moved(before, self._state, reason)

    def _fail(self, failed: Failed) -> None:
        """Tell what went wrong, and end where the runner cannot or shall not go on."""
        self._teller.tell_failure(failed)
        if failed.ends or (self._stop_on_error and not failed.warning):
            self.ended = failed.error
