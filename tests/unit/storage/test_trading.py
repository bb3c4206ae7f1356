"""What is kept of strategies, runners and trades."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Engine, text

from dashboard.core.trading.hosting import Parameter
from dashboard.core.trading.model import (
    Committed,
    MarketData,
    Position,
    PositionSide,
    Program,
    RunnerConfig,
    State,
    TradeMade,
)
from dashboard.storage.database import migrate
from dashboard.storage.trading import Held, NewRunner, TradingRepository

PROGRAM = Program(
    runner_id="one",
    symbol="BTCUSDT",
    exchange="CRYPTO",
    bar="5m",
    strategy_name="mine",
    version=3,
    code="-- \0 ü",
    parameters={"fast": 10.0},
    config=RunnerConfig(stop_on_error=True),
    seed="s",
)
POSITION = Position(
    entry_price=100.0,
    quantity=0.5,
    side=PositionSide.SHORT,
    entry_timestamp=7,
    current_price=99.0,
    stop_loss=110.0,
    unrealized_pnl=0.5,
)
COMMITTED = Committed(
    state=State.IN_POSITION,
    position=POSITION,
    realized_pnl=-3.25,
    entry_fees=0.1,
    context='{"a":"\\u0000"}',
    indicators=b"\x00\xff",
)
TRADE = TradeMade(
    runner_id="one",
    symbol="BTCUSDT",
    exchange="CRYPTO",
    strategy_name="mine",
    version=3,
    side=PositionSide.LONG,
    quantity=2.0,
    entry_price=100.0,
    exit_price=101.0,
    entry_timestamp=1_700_000_000_000,
    exit_timestamp=1_700_000_000_001,
    realized_pnl=2.0,
    fees=0.25,
    reason="stop loss",
    stale=True,
)


@pytest.fixture
def kept(engine: Engine) -> TradingRepository:
    migrate(engine)
    return TradingRepository(engine)


def bar(number: int) -> MarketData:
    return MarketData(
        symbol="BTCUSDT",
        timestamp=number,
        open=1.0,
        high=4.0,
        low=0.5,
        close=2.0 + number,
        volume=3.0,
        bid=1.5,
        ask=2.5,
    )


def add(kept: TradingRepository, program: Program = PROGRAM) -> int:
    new = NewRunner(program=program, status="running", created_by="me", ts_created=5)
    return kept.add_runner(new)


def held(key: int, **changed: Any) -> Held:
    fields: dict[str, Any] = {
        "status": "paused",
        "committed": COMMITTED,
        "stats": '{"ticks":4}',
        "bars": 0,
        "kept": 0,
        "added": [],
    }
    return Held(key=key, **(fields | changed))


def write(kept: TradingRepository, *what: Held, trades: Any = (), alive: Any = (), now: int = 9):
    kept.write(what, trades, alive=alive, now=now)


def test_a_new_runner_holds_nothing(kept: TradingRepository) -> None:
    key = add(kept)
    (stored,) = kept.runners()
    assert (stored.key, stored.program, stored.status) == (key, PROGRAM, "running")
    assert (stored.created_by, stored.ts_created, stored.ts_alive) == ("me", 5, 5)
    assert (stored.committed, stored.stats, stored.bars) == (Committed(), "{}", 0)
    assert stored.window == []


def test_what_a_runner_holds_comes_back_as_it_was_written(kept: TradingRepository) -> None:
    key = add(kept)
    write(kept, held(key, bars=2, kept=2, added=[bar(1), bar(2)]), alive=[key])
    (stored,) = kept.runners()
    assert (stored.status, stored.committed, stored.stats) == ("paused", COMMITTED, '{"ticks":4}')
    assert (stored.bars, stored.window, stored.ts_alive) == (2, [bar(1), bar(2)], 9)


def test_a_window_keeps_its_newest_bars_in_order(kept: TradingRepository) -> None:
    key = add(kept)
    for last in (2, 4, 6, 8):
        write(kept, held(key, bars=last, kept=min(last, 3), added=[bar(last - 1), bar(last)]))
    (stored,) = kept.runners()
    assert [each.timestamp for each in stored.window] == [5, 6, 7, 8]  # whole parts alone go
    write(kept, held(key, bars=8, kept=0))
    assert kept.runners()[0].window == []


def test_only_those_that_run_are_seen_alive(kept: TradingRepository) -> None:
    first, second = add(kept), add(kept, structs.replace(PROGRAM, runner_id="two"))
    write(kept, alive=[second], now=50)
    assert [each.ts_alive for each in kept.runners()] == [5, 50]
    assert first != second


def test_a_runner_that_was_removed_is_not_written_again(
    kept: TradingRepository, engine: Engine
) -> None:
    key = add(kept)
    write(kept, held(key, bars=1, kept=1, added=[bar(1)]), trades=[TRADE])
    kept.remove_runner(key)
    write(kept, held(key, bars=2, kept=2, added=[bar(2)]), alive=[key])
    assert kept.runners() == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM runner_bars")) == 0
    assert kept.trades("one", 10) == [TRADE]


def test_the_newest_trades_come_oldest_first(kept: TradingRepository) -> None:
    write(kept, trades=[TRADE])
    write(kept, trades=[with_reason("exit"), with_reason("take profit")])
    assert [each.reason for each in kept.trades("one", 2)] == ["exit", "take profit"]
    assert kept.trades("two", 2) == []


def with_reason(reason: str) -> TradeMade:
    return structs.replace(TRADE, reason=reason)


def test_each_change_of_a_strategy_is_a_version(kept: TradingRepository) -> None:
    parameters = {"fast": Parameter(default=10, min=2, max=50), "free": Parameter(default=1)}
    for code in ("-- 1 \0", "-- 2 ü"):
        kept.add_strategy("mine", code, parameters, created_by="me", now=1)
    kept.add_strategy("another", "-- 1", {}, created_by="me", now=2)
    assert kept.strategies() == {"another": 1, "mine": 2}
    newest, first = kept.strategy("mine"), kept.strategy("mine", 1)
    assert newest is not None
    assert (newest.name, newest.version, newest.code) == ("mine", 2, "-- 2 ü")
    assert newest.parameters == parameters
    assert first is not None
    assert (first.version, first.code) == (1, "-- 1 \0")
    assert kept.strategy("mine", 3) is kept.strategy("nobody's") is None
