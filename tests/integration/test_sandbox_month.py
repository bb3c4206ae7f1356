"""The example strategies over a month of minutes, through a worker, give the trades they should."""

import csv
import gzip
from datetime import UTC, datetime

import pytest

from dashboard.core.trading.closing import close_runner
from dashboard.core.trading.events import AnyRunnerEvent, PositionClosed, Reason, RunnerError
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import MarketData
from dashboard.trading.sandbox.limits import Limits
from tests.live_server import ROOT
from tests.lua import program
from tests.recordings import DATA
from tests.sandboxes import running_host

MONTH = DATA / "btc-perp-1m-2022-01.csv.gz"
BARS = 45_031
TRADES = {
    "ema_crossover": (603, 28.358, -0.8798),
    "rsi_mean_reversion": (216, 67.130, -0.3474),
    "range_breakout": (4, 25.0, -0.18348),
}
"""How many, how many percent of them won, and the return in percent."""

pytestmark = pytest.mark.skipif(
    not MONTH.is_file(), reason=f"no {MONTH.name} in {DATA}; LIVETAPE_DATA names another folder"
)


def read_month() -> list[MarketData]:
    with gzip.open(MONTH, "rt") as file:
        return [_parse_bar(row) for row in csv.DictReader(file)]


def _parse_bar(row: dict[str, str]) -> MarketData:
    time = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
    close = float(row["close"])
    return MarketData(
        symbol="BTC-PERP",
        timestamp=round(time.timestamp() * 1_000),
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=close,
        volume=float(row["volume"]),
        bid=close,
        ask=close,
    )


@pytest.mark.parametrize("name", TRADES)
async def test_an_example_makes_the_trades_that_it_should(name: str) -> None:
    bars = read_month()
    assert len(bars) == BARS
    text = (ROOT / "dashboard" / "trading" / "examples" / f"{name}.lua").read_text()
    given = program(text, bar="1m")
    told: list[Stepped] = []
    async with running_host(Limits(queued_ticks=BARS)) as host:
        await host.load(given, committed=None, window=(), stepped=told.append, ended=pytest.fail)
        for bar in bars:
            host.give(given.runner_id, bar)
        await host.drain(given.runner_id)
    events: list[AnyRunnerEvent] = [event for stepped in told for event in stepped.events]
    events += close_runner(
        given,
        told[-1].committed,
        price=bars[-1].close,
        timestamp=bars[-1].timestamp,
        reason=Reason.END_OF_DATA,
    ).events
    assert not any(isinstance(event, RunnerError) for event in events)
    profits = [event.realized_pnl for event in events if isinstance(event, PositionClosed)]
    trades, won, gained = TRADES[name]
    assert len(profits) == trades
    assert sum(each > 0 for each in profits) / trades * 100 == pytest.approx(won, abs=5e-4)
    assert sum(profits) / given.capital * 100 == pytest.approx(gained, abs=5e-6)
