"""Each sentence of how a step goes has a test of its name."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from dashboard.core.trading.events import (
    ActionExecuted,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    Reason,
    RunnerError,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.hosting import Failed
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import (
    Account,
    CancelAnalysis,
    Committed,
    EnterLong,
    EnterShort,
    Exit,
    Position,
    PositionSide,
    Severity,
    State,
    UpdateStopLoss,
    UpdateTakeProfit,
)
from tests.unit.core.trading.fakes import (
    DETECT,
    EXIT,
    LONG,
    SHORT,
    FakeStrategy,
    Said,
    bar,
    machine,
    names,
    program,
)


def entered(
    *then: Said, enter: Mapping[str, Any] = LONG, length: str = "1m", **machine_options: Any
) -> tuple[Machine, FakeStrategy]:
    """Give a machine that has entered at 100, with what its strategy says after that."""
    strategy = FakeStrategy([DETECT, enter, *then])
    made = machine(strategy, length=length, **machine_options)
    made.step(bar(100, at=1000))
    made.step(bar(100, at=2000))
    assert made.committed.state is State.IN_POSITION
    return made, strategy


def only(events: list[Any], kind: type[Any]) -> Any:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


# What a tick calls


def test_a_quiet_tick_is_received_and_nothing_else() -> None:
    made = machine(FakeStrategy())
    assert made.step(bar(100, at=5)) == [
        TickReceived(
            runner_id="one",
            symbol="BTCUSDT",
            exchange="SIM",
            ts_event=5_000_000,
            data=bar(100, at=5),
        )
    ]


def test_one_function_is_called_a_tick_that_of_the_state_it_finds() -> None:
    strategy = FakeStrategy([None, DETECT, None, LONG, None, EXIT, None])
    made = machine(strategy)
    for second in range(7):
        made.step(bar(100, at=second * 1000))
    idle, analyzing, inside = State.IDLE, State.ANALYZING, State.IN_POSITION
    found = [function for function, _ in strategy.calls]
    assert found == [idle, idle, analyzing, analyzing, inside, inside, idle]


def test_the_filter_is_first_called_on_the_tick_after_the_detection() -> None:
    strategy = FakeStrategy([DETECT, LONG])
    made = machine(strategy)
    assert names(made.step(bar(100))) == ["TickReceived", "StateTransition"]
    assert len(strategy.calls) == 1


def test_a_detection_is_no_action_and_its_reason_is_that_of_the_transition() -> None:
    made = machine(FakeStrategy([{"action": "enter_long", "reason": "cross", "signal": "up"}]))
    moved = only(made.step(bar(100)), StateTransition)
    assert (moved.from_state, moved.to_state) == (State.IDLE, State.ANALYZING)
    assert moved.reason == "cross"


def test_start_analyzing_is_a_detection_with_its_reason() -> None:
    made = machine(FakeStrategy([{"action": "start_analyzing", "reason": "wide"}]))
    events = made.step(bar(100))
    assert names(events) == ["TickReceived", "StateTransition"]
    assert only(events, StateTransition).reason == "wide"


def test_a_cancel_leads_back_to_idle_with_its_reason() -> None:
    made = machine(FakeStrategy([DETECT, {"action": "cancel_analysis", "reason": "thin"}]))
    made.step(bar(100))
    events = made.step(bar(100))
    assert names(events) == ["TickReceived", "ActionExecuted", "StateTransition"]
    assert only(events, ActionExecuted).action == CancelAnalysis(reason="thin")
    assert only(events, StateTransition).reason == "thin"
    assert made.committed.state is State.IDLE


# The order of a tick


def test_an_entry_is_told_in_order() -> None:
    made = machine(FakeStrategy([DETECT, {**LONG, "stop_loss": 90, "take_profit": 120}]))
    made.step(bar(100, at=1000))
    events = made.step(bar(101, at=2000))
    assert names(events) == [
        "TickReceived",
        "ActionExecuted",
        "PositionOpened",
        "StateTransition",
        "PositionUpdated",
    ]
    assert only(events, ActionExecuted).action == EnterLong(
        price=101.0, quantity=2.0, stop_loss=90.0, take_profit=120.0
    )
    assert only(events, PositionOpened).position == Position(
        entry_price=101.0,
        quantity=2.0,
        side=PositionSide.LONG,
        entry_timestamp=2000,
        current_price=101.0,
        stop_loss=90.0,
        take_profit=120.0,
    )
    assert only(events, StateTransition).reason == "enter long"
    assert {event.ts_event for event in events} == {2_000_000_000}


def test_an_exit_is_told_in_order() -> None:
    made, _ = entered(EXIT)
    events = made.step(bar(103, at=3000))
    assert names(events) == ["TickReceived", "ActionExecuted", "StateTransition", "PositionClosed"]
    assert only(events, ActionExecuted).action == Exit(price=103.0)
    assert only(events, StateTransition).reason == "exit"
    closed = only(events, PositionClosed)
    assert (closed.realized_pnl, closed.exit_price, closed.reason) == (6.0, 103.0, Reason.EXIT)
    assert closed.position == Position(
        entry_price=100.0,
        quantity=2.0,
        side=PositionSide.LONG,
        entry_timestamp=2000,
        current_price=103.0,
        exit_price=103.0,
        exit_timestamp=3000,
    )
    assert not closed.stale


def test_an_open_position_is_updated_on_every_tick() -> None:
    made, _ = entered()
    events = made.step(bar(97))
    assert names(events) == ["TickReceived", "PositionUpdated"]
    updated = only(events, PositionUpdated)
    assert (updated.unrealized_pnl, updated.current_price) == (-6.0, 97.0)


def test_an_entry_and_a_stop_may_fall_together() -> None:
    made = machine(FakeStrategy([DETECT, {**LONG, "stop_loss": 105}]))
    made.step(bar(100))
    events = made.step(bar(100))
    assert names(events) == [
        "TickReceived",
        "ActionExecuted",
        "PositionOpened",
        "StateTransition",
        "StateTransition",
        "PositionClosed",
    ]
    moves = [event for event in events if isinstance(event, StateTransition)]
    assert [move.reason for move in moves] == ["enter long", "stop loss"]
    assert made.committed == Committed(context='{"count": 2}')


def test_warnings_are_told_before_the_action_and_change_nothing() -> None:
    dropped = Failed("context: a key is no string", warning=True)
    made = machine(FakeStrategy([DETECT, LONG], warnings=[dropped]))
    made.step(bar(100))
    events = made.step(bar(100))
    assert names(events)[:3] == ["TickReceived", "RunnerError", "ActionExecuted"]
    told = only(events, RunnerError)
    assert (told.severity, told.error, told.line) == (Severity.WARNING, dropped.error, None)


# Fills


@pytest.mark.parametrize(
    ("enter", "price", "fill"),
    [(LONG, 99, 100), (LONG, 101, 101), (SHORT, 99, 99), (SHORT, 101, 100), (LONG, None, 100)],
)
def test_in_a_bar_an_entry_fills_at_the_worse_of_price_and_close(
    enter: dict[str, Any], price: float | None, fill: float
) -> None:
    made = machine(FakeStrategy([DETECT, {**enter, "price": price}]))
    made.step(bar(100))
    events = made.step(bar(100, low=98, high=102))
    assert only(events, ActionExecuted).action.price == fill
    assert only(events, PositionOpened).position.entry_price == fill
    assert made.fills_at_close == (price is not None and fill != price)


@pytest.mark.parametrize(
    ("enter", "price", "fill"),
    [(LONG, 99, 99), (LONG, 101, 100), (SHORT, 99, 100), (SHORT, 101, 101)],
)
def test_in_a_bar_an_exit_fills_at_the_worse_of_price_and_close(
    enter: dict[str, Any], price: float, fill: float
) -> None:
    made, _ = entered({**EXIT, "price": price}, enter=enter)
    assert only(made.step(bar(100, low=98, high=102)), PositionClosed).exit_price == fill


@pytest.mark.parametrize("price", [99.0, 100.0, 101.0])
def test_in_a_tick_an_action_fills_at_its_price_within_price_and_quote(price: float) -> None:
    made = machine(FakeStrategy([DETECT, {**LONG, "price": price}]), length="tick")
    made.step(bar(100))
    events = made.step(bar(100, bid=99, ask=101))
    assert only(events, PositionOpened).position.entry_price == price
    assert made.fills_at_close == 0


@pytest.mark.parametrize(("length", "bounds"), [("1m", "98.0 to 102.0"), ("tick", "99.0 to 101.0")])
@pytest.mark.parametrize("price", [97.9, 102.1])
def test_a_price_outside_the_bar_or_the_tick_is_refused(
    length: str, bounds: str, price: float
) -> None:
    made = machine(FakeStrategy([DETECT, {**LONG, "price": price}]), length=length)
    made.step(bar(100))
    before = made.committed
    events = made.step(bar(100.0, low=98.0, high=102.0, bid=99.0, ask=101.0))
    assert names(events) == ["TickReceived", "RunnerError"]
    told = only(events, RunnerError)
    assert told.severity is Severity.WARNING
    assert told.error == f"entry price {price} is not allowed; allowed: {bounds}"
    assert (made.committed.state, made.committed.position) == (before.state, before.position)


def test_an_exit_outside_the_bar_is_refused() -> None:
    made, _ = entered({**EXIT, "price": 110})
    events = made.step(bar(100))
    assert names(events) == ["TickReceived", "RunnerError", "PositionUpdated"]
    assert "exit price 110.0 is not allowed" in only(events, RunnerError).error


@pytest.mark.parametrize(
    ("enter", "changed", "close", "reason"),
    [
        (LONG, {"stop_loss": 95.0}, 95.0, Reason.STOP_LOSS),
        (LONG, {"take_profit": 105.0}, 105.0, Reason.TAKE_PROFIT),
        (SHORT, {"stop_loss": 105.0}, 105.0, Reason.STOP_LOSS),
        (SHORT, {"take_profit": 95.0}, 95.0, Reason.TAKE_PROFIT),
        (LONG, {"stop_loss": 95.0}, 80.0, Reason.STOP_LOSS),
        (SHORT, {"take_profit": 95.0}, 80.0, Reason.TAKE_PROFIT),
    ],
)
def test_stop_and_target_are_checked_at_the_close_and_fill_there(
    enter: dict[str, Any], changed: dict[str, Any], close: float, reason: Reason
) -> None:
    made, _ = entered(enter={**enter, **changed})
    events = made.step(bar(close, at=3000))
    assert names(events) == ["TickReceived", "StateTransition", "PositionClosed"]
    closed = only(events, PositionClosed)
    assert (closed.exit_price, closed.reason) == (close, reason)
    assert closed.realized_pnl == abs(close - 100) * 2 * (-1 if reason is Reason.STOP_LOSS else 1)
    assert only(events, StateTransition).reason == reason


@pytest.mark.parametrize("enter", [LONG, SHORT])
def test_a_stop_that_only_the_bar_touched_does_not_close(enter: dict[str, Any]) -> None:
    stops = {"stop_loss": 95.0, "take_profit": 105.0}
    if enter is SHORT:
        stops = {"stop_loss": 105.0, "take_profit": 95.0}
    made, _ = entered(enter={**enter, **stops})
    assert names(made.step(bar(100, low=90, high=110))) == ["TickReceived", "PositionUpdated"]


@pytest.mark.parametrize(("enter", "stop", "target"), [(LONG, 101.0, 99.0), (SHORT, 99.0, 101.0)])
def test_the_stop_is_checked_first(enter: dict[str, Any], stop: float, target: float) -> None:
    strategy = FakeStrategy([DETECT, {**enter, "stop_loss": stop, "take_profit": target}])
    made = machine(strategy)
    made.step(bar(100))
    assert only(made.step(bar(100)), PositionClosed).reason is Reason.STOP_LOSS


def test_stop_and_target_are_checked_after_the_action_that_moves_them() -> None:
    made, _ = entered({"action": "update_stop_loss", "new_stop": 99})
    events = made.step(bar(98.5))
    assert names(events) == ["TickReceived", "ActionExecuted", "StateTransition", "PositionClosed"]
    assert only(events, ActionExecuted).action == UpdateStopLoss(new_stop=99.0)


def test_an_exit_comes_before_the_stop() -> None:
    made, _ = entered(EXIT, enter={**LONG, "stop_loss": 95})
    assert only(made.step(bar(90)), PositionClosed).reason is Reason.EXIT


def test_stop_and_target_can_be_moved() -> None:
    made, _ = entered(
        {"action": "update_stop_loss", "new_stop": 90},
        {"action": "update_take_profit", "new_target": 120},
    )
    assert names(made.step(bar(100))) == ["TickReceived", "ActionExecuted", "PositionUpdated"]
    moved = only(made.step(bar(100)), ActionExecuted).action
    assert moved == UpdateTakeProfit(new_target=120.0)
    position = made.committed.position
    assert position is not None
    assert (position.stop_loss, position.take_profit) == (90.0, 120.0)


def test_the_first_tick_after_a_restart_checks_the_stop() -> None:
    made, strategy = entered(enter={**LONG, "stop_loss": 95})
    committed = made.committed
    again = Machine(program(), committed, FakeStrategy([], committed=committed))
    assert only(again.step(bar(94)), PositionClosed).exit_price == 94.0
    assert strategy.count == 2


# Refusals and errors


@pytest.mark.parametrize(
    "said",
    [
        EXIT,
        {"action": "update_stop_loss", "new_stop": 1},
        {"action": "start_analyzing", "reason": "again"},
        {**LONG, "quantity": 0},
        {**LONG, "quantity": math.nan},
        {**LONG, "stop_loss": math.inf},
        {**SHORT, "take_profit": math.nan},
        {"action": "enter_long"},
    ],
)
def test_a_refused_action_is_a_warning_and_changes_nothing(said: dict[str, Any]) -> None:
    made = machine(FakeStrategy([DETECT, said]))
    made.step(bar(100))
    events = made.step(bar(100))
    assert names(events) == ["TickReceived", "RunnerError"]
    assert only(events, RunnerError).severity is Severity.WARNING
    assert made.committed == Committed(state=State.ANALYZING, context='{"count": 2}')


@pytest.mark.parametrize("said", [LONG, SHORT, {"action": "cancel_analysis", "reason": "no"}])
def test_an_action_that_a_position_does_not_allow_changes_nothing(said: dict[str, Any]) -> None:
    made, _ = entered(said)
    events = made.step(bar(100))
    assert names(events) == ["TickReceived", "RunnerError", "PositionUpdated"]
    assert only(events, RunnerError).severity is Severity.WARNING


def test_an_unknown_action_is_an_error() -> None:
    made = machine(FakeStrategy([DETECT, {"action": "buy"}]))
    made.step(bar(100))
    told = only(made.step(bar(100)), RunnerError)
    assert told.severity is Severity.ERROR
    assert told.error == "Strategy error: Unknown action type: buy"
    assert made.ended is None


@pytest.mark.parametrize("warning", [False, True])
def test_a_call_that_failed_is_told_with_its_line(warning: bool) -> None:
    made = machine(FakeStrategy([Failed("Lua error: nil", line=7, warning=warning)]))
    told = only(made.step(bar(100)), RunnerError)
    assert told.severity is (Severity.WARNING if warning else Severity.ERROR)
    assert (told.error, told.line) == ("Lua error: nil", 7)


def test_a_failed_call_does_not_keep_the_stop_from_being_checked() -> None:
    made, _ = entered(Failed("Lua error: nil"), enter={**LONG, "stop_loss": 95})
    events = made.step(bar(95))
    assert names(events) == ["TickReceived", "RunnerError", "StateTransition", "PositionClosed"]


def test_a_runner_that_stops_on_error_ends_with_that_tick() -> None:
    made, strategy = entered(Failed("Lua error: nil"), stop_on_error=True)
    assert names(made.step(bar(100))) == ["TickReceived", "RunnerError", "PositionUpdated"]
    assert made.ended == "Lua error: nil"
    assert made.step(bar(100)) == []
    assert strategy.count == 3


def test_a_runner_that_stops_on_error_does_not_at_a_warning() -> None:
    made, _ = entered({**EXIT, "price": 500}, stop_on_error=True)
    made.step(bar(100))
    assert made.ended is None


def test_an_error_that_the_sandbox_does_not_survive_ends_the_runner() -> None:
    made = machine(FakeStrategy([Failed("memory over 32 MB", ends=True)]))
    assert only(made.step(bar(100)), RunnerError).severity is Severity.ERROR
    assert made.ended == "memory over 32 MB"


# The account


def test_the_account_is_that_of_the_present_close() -> None:
    made, strategy = entered(None, EXIT, None)
    for close in (103, 104, 50):
        made.step(bar(close))
    accounts = [account for _, account in strategy.calls]
    assert accounts[0] == Account(
        capital=100_000.0, equity=100_000.0, realized_pnl=0.0, unrealized_pnl=0.0
    )
    assert accounts[2] == Account(
        capital=100_000.0, equity=100_006.0, realized_pnl=0.0, unrealized_pnl=6.0
    )
    assert accounts[4] == Account(
        capital=100_000.0, equity=100_008.0, realized_pnl=8.0, unrealized_pnl=0.0
    )


def test_a_short_earns_as_the_price_falls() -> None:
    made, strategy = entered(None, EXIT, enter=SHORT)
    assert only(made.step(bar(97)), PositionUpdated).unrealized_pnl == 6.0
    events = made.step(bar(95))
    assert only(events, PositionClosed).realized_pnl == 10.0
    assert strategy.calls[3][1].unrealized_pnl == 10.0
    assert made.committed.realized_pnl == 10.0


def test_a_short_is_entered_as_one() -> None:
    made = machine(FakeStrategy([DETECT, SHORT]))
    made.step(bar(100))
    events = made.step(bar(100))
    assert only(events, ActionExecuted).action == EnterShort(price=100.0, quantity=2.0)
    assert only(events, PositionOpened).position.side is PositionSide.SHORT
    assert only(events, StateTransition).reason == "enter short"


# What is committed


def test_the_strategy_s_own_is_committed_though_its_call_failed() -> None:
    made = machine(FakeStrategy([Failed("Lua error: nil")]))
    made.step(bar(100))
    assert made.committed == Committed(context='{"count": 1}')


def test_the_committed_position_is_at_the_newest_price() -> None:
    made, _ = entered()
    made.step(bar(104))
    position = made.committed.position
    assert position is not None
    assert (position.current_price, position.unrealized_pnl) == (104.0, 8.0)
