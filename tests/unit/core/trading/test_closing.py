from typing import Any

from dashboard.core.trading.closing import close_runner
from dashboard.core.trading.events import PositionClosed, Reason, StateTransition
from dashboard.core.trading.model import Committed, Position, PositionSide, State
from tests.unit.core.trading.fakes import names, program

HELD = Committed(
    state=State.IN_POSITION,
    position=Position(
        entry_price=100.0,
        quantity=2.0,
        side=PositionSide.SHORT,
        entry_timestamp=1000,
        current_price=99.0,
        stop_loss=110.0,
        unrealized_pnl=2.0,
    ),
    realized_pnl=5.0,
    entry_fees=1.0,
    context='{"a": 1}',
    indicators=b"\x01",
)


def closed(committed: Committed, **options: Any) -> Any:
    return close_runner(program(), committed, price=97.0, timestamp=9000, **options)


def test_an_idle_runner_has_nothing_to_close() -> None:
    idle = Committed(context='{"a": 1}', realized_pnl=3.0)
    assert closed(idle) == ([], idle)


def test_an_analysis_ends() -> None:
    events, committed = closed(Committed(state=State.ANALYZING, context='{"a": 1}'))
    assert names(events) == ["StateTransition"]
    moved = events[0]
    assert isinstance(moved, StateTransition)
    assert (moved.from_state, moved.to_state) == (State.ANALYZING, State.IDLE)
    assert moved.reason == "runner stopped"
    assert committed == Committed(context='{"a": 1}')


def test_a_position_is_closed_at_the_last_price() -> None:
    events, committed = closed(HELD)
    assert names(events) == ["StateTransition", "PositionClosed"]
    told = events[1]
    assert isinstance(told, PositionClosed)
    assert (told.exit_price, told.realized_pnl, told.fees) == (97.0, 5.0, 1.0)
    assert (told.reason, told.stale) == (Reason.RUNNER_STOPPED, False)
    assert (told.position.exit_price, told.position.exit_timestamp) == (97.0, 9000)
    assert told.ts_event == 9_000_000_000
    assert committed == Committed(realized_pnl=10.0, context='{"a": 1}', indicators=b"\x01")


def test_a_close_at_a_stale_price_is_marked() -> None:
    told = closed(HELD, stale=True).events[1]
    assert told.stale
    assert told.reason is Reason.RUNNER_STOPPED
