"""What runners tell, to test with."""

from dashboard.core.model import Kind, Topic
from dashboard.core.trading.events import (
    ActionExecuted,
    AnyRunnerEvent,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    Reason,
    RunnerError,
    RunnerStarted,
    RunnerStopped,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.model import (
    Action,
    EnterLong,
    MarketData,
    Position,
    PositionSide,
    Severity,
    State,
)

TS = 1_700_000_000_123_000_000
BAR = MarketData(
    symbol="BTC/USD",
    timestamp=TS // 1_000_000,
    open=100.0,
    high=101.5,
    low=99.0,
    close=101.0,
    volume=12.5,
    bid=100.5,
    ask=101.5,
)
POSITION = Position(
    entry_price=101.0,
    quantity=0.1,
    side=PositionSide.LONG,
    entry_timestamp=TS // 1_000_000,
    current_price=101.0,
    stop_loss=98.5,
)
ENTRY = EnterLong(price=101.0, quantity=0.1)


def tick(
    runner: str = "r1", *, symbol: str = "BTC/USD", exchange: str = "CRYPTO", bar: MarketData = BAR
) -> TickReceived:
    return TickReceived(runner_id=runner, symbol=symbol, exchange=exchange, ts_event=TS, data=bar)


def updated(runner: str = "r1", pnl: float = 1.5) -> PositionUpdated:
    return PositionUpdated(
        runner_id=runner,
        symbol="BTC/USD",
        exchange="CRYPTO",
        ts_event=TS,
        unrealized_pnl=pnl,
        current_price=102.5,
    )


def transition(
    runner: str = "r1", *, symbol: str = "BTC/USD", exchange: str = "CRYPTO"
) -> StateTransition:
    return StateTransition(
        runner_id=runner,
        symbol=symbol,
        exchange=exchange,
        ts_event=TS,
        from_state=State.IDLE,
        to_state=State.ANALYZING,
        reason="opportunity",
    )


def action(runner: str = "r1", *, done: Action = ENTRY) -> ActionExecuted:
    return ActionExecuted(
        runner_id=runner, symbol="BTC/USD", exchange="CRYPTO", ts_event=TS, action=done
    )


def one_of_each(runner: str = "r1") -> list[AnyRunnerEvent]:
    """Make an event of every type."""
    return [
        tick(runner),
        transition(runner),
        action(runner),
        PositionOpened(
            runner_id=runner,
            symbol="BTC/USD",
            exchange="CRYPTO",
            ts_event=TS,
            position=POSITION,
        ),
        updated(runner),
        PositionClosed(
            runner_id=runner,
            symbol="BTC/USD",
            exchange="CRYPTO",
            ts_event=TS,
            position=POSITION,
            realized_pnl=-0.25,
            exit_price=98.5,
            reason=Reason.STOP_LOSS,
        ),
        RunnerError(
            runner_id=runner,
            symbol="BTC/USD",
            exchange="CRYPTO",
            ts_event=TS,
            severity=Severity.ERROR,
            error="Lua error: x",
            line=7,
        ),
        RunnerStarted(runner_id=runner, symbol="BTC/USD", exchange="CRYPTO", ts_event=TS),
        RunnerStopped(
            runner_id=runner, symbol="BTC/USD", exchange="CRYPTO", ts_event=TS, reason="asked to"
        ),
    ]


def topic(kind: Kind, runner: str = "r1") -> Topic:
    return Topic(kind, "", runner)
