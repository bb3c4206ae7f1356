"""Runners as rows of text."""

from typing import Any

import msgspec

from dashboard.commands.trading import RunnerSummary
from dashboard.core.trading.model import State
from dashboard.ui.formatting import MINUS, NONE, THIN_SPACE
from dashboard.ui.runner_rows import runner_rows, totals

RUNNER = RunnerSummary(
    runner_id="btc",
    symbol="BTCUSDT",
    exchange="CRYPTO",
    status="running",
    state=State.IN_POSITION,
    has_position=True,
    unrealized_pnl=-12.5,
    realized_pnl=1234.5,
    ticks_processed=12_345,
    errors=2,
    uptime_ms=61_000,
    strategy_name="ema_crossover",
    version=3,
    bar="1m",
    feed_state="live",
)


def runner(**changes: Any) -> RunnerSummary:
    return msgspec.structs.replace(RUNNER, **changes)


def test_a_row_says_what_there_is_in_words_and_signs() -> None:
    [row] = runner_rows([RUNNER])
    assert row.strategy == "ema_crossover v3"
    assert (row.state, row.state_name) == ("InPosition", "In position")
    assert (row.open_pnl, row.open_direction) == (f"{MINUS}12.50", "down")
    assert (row.closed_pnl, row.closed_direction) == (f"+1{THIN_SPACE}234.50", "up")
    assert (row.ticks, row.errors, row.uptime) == (f"12{THIN_SPACE}345", "2", "1 min")
    assert row.feed == ""


def test_without_a_position_nothing_is_open() -> None:
    [row] = runner_rows([runner(state=State.IDLE, has_position=False, unrealized_pnl=0.0)])
    assert (row.open_pnl, row.open_direction) == (NONE, "flat")


def test_what_rounds_to_nothing_goes_nowhere() -> None:
    [row] = runner_rows([runner(unrealized_pnl=-0.004)])
    assert (row.open_pnl, row.open_direction) == ("0.00", "flat")


def test_a_feed_that_does_not_flow_is_named() -> None:
    rows = runner_rows([runner(feed_state=state) for state in ("live", "replayed", "stale")])
    assert [row.feed for row in rows] == ["", "", "stale"]


def test_totals_count_and_add_up() -> None:
    found = totals([RUNNER, runner(status="paused", has_position=False, unrealized_pnl=0.0)])
    assert found == {
        "running": "1",
        "positions": "1",
        "open": f"{MINUS}12.50",
        "closed": f"+2{THIN_SPACE}469.00",
    }
    assert totals([]) == {"running": "0", "positions": "0", "open": "0.00", "closed": "0.00"}
