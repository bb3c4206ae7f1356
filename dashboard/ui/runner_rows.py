"""Runners as rows of text, for the page that lists them. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.commands.trading import RunnerSummary
from dashboard.ui.formatting import format_age, format_count, format_signed

MS_PER_S = 1000
STATES = {"Idle": "Idle", "Analyzing": "Analyzing", "InPosition": "In position"}
DIRECTIONS = {1: "up", 0: "flat", -1: "down"}
FLOWING = frozenset({"live", "replayed"})


class RunnerRow(NamedTuple):
    """A runner's line. `state` names its shape, `status` what may be done with it.

    `feed` is empty where its feed flows, else what that is instead.
    """

    runner_id: str
    symbol: str
    exchange: str
    strategy: str
    bar: str
    status: str
    state: str
    state_name: str
    open_pnl: str
    open_direction: str
    closed_pnl: str
    closed_direction: str
    ticks: str
    errors: str
    uptime: str
    feed: str


def runner_rows(runners: Sequence[RunnerSummary]) -> list[RunnerRow]:
    """Write runners as text, in the order given."""
    return [_row(each) for each in runners]


def totals(runners: Sequence[RunnerSummary]) -> dict[str, str]:
    """Count what runs, and add up what they have made and what stands open."""
    statuses = [each.status for each in runners]
    return {
        "running": format_count(statuses.count("running")),
        "positions": format_count(sum(each.has_position for each in runners)),
        "open": format_signed(sum(each.unrealized_pnl for each in runners), 2),
        "closed": format_signed(sum(each.realized_pnl for each in runners), 2),
    }


def _row(runner: RunnerSummary) -> RunnerRow:
    open_pnl = runner.unrealized_pnl if runner.has_position else None
    return RunnerRow(
        runner_id=runner.runner_id,
        symbol=runner.symbol,
        exchange=runner.exchange,
        strategy=f"{runner.strategy_name} v{runner.version}",
        bar=runner.bar,
        status=runner.status,
        state=runner.state,
        state_name=STATES[runner.state],
        open_pnl=format_signed(open_pnl, 2),
        open_direction=_direction(open_pnl),
        closed_pnl=format_signed(runner.realized_pnl, 2),
        closed_direction=_direction(runner.realized_pnl),
        ticks=format_count(runner.ticks_processed),
        errors=format_count(runner.errors),
        uptime=format_age(runner.uptime_ms / MS_PER_S),
        feed="" if runner.feed_state in FLOWING else runner.feed_state,
    )


def _direction(value: float | None) -> str:
    """Say which way a value goes, as it is shown."""
    shown = round(value or 0.0, 2)
    return DIRECTIONS[(shown > 0) - (shown < 0)]
