"""The whole server on a file of bars, and runners on a real month of them."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dashboard.bootstrap.product import Product
from dashboard.bootstrap.web import Web
from dashboard.commands.requests import ControlReplay
from dashboard.commands.trading import CreateRunner, RunnerSnapshot, TellRunner, TellTrades
from dashboard.config import load_settings
from dashboard.core.principal import LOCAL
from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer
from tests.recordings import MINUTES, needs_minutes

CLOSES = [100.5, 101.25, 102.0]
BARS = 45_031
TRADED = {
    "ema_crossover": (603, -0.8798),
    "rsi_mean_reversion": (216, -0.3474),
    "range_breakout": (3, -0.52128),
}
"""How often each example trades in the month, and what it earns, in percent of its capital.

The last trade of `range_breakout` is open at the end.
"""


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    file: Path = tmp_path_factory.mktemp("bars") / "bars.csv"
    rows = [f"2022-01-01 00:0{n},100,110,90,{close},7" for n, close in enumerate(CLOSES)]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, "damage"]))
    options = {"replay_file": file, "replay_symbol": "BTC-PERP", "replay_speed": 1000}
    with LiveServer(page=False, feed="replay", **options) as server:
        yield server


async def test_a_client_gets_a_price_a_bar(replaying: LiveServer) -> None:
    seen: set[float] = set()
    async with live(replaying.ws_url) as socket, asyncio.timeout(60):
        while len(seen) < len(CLOSES):
            frame = await receive(socket)
            if frame["type"] == "price":
                assert (frame["symbol"], frame["exchange"]) == ("BTC-PERP", "CSV")
                assert frame["volume"] == 7
                seen.add(frame["price"])
    assert seen == set(CLOSES)


def test_its_state_is_replayed_and_the_bad_line_is_counted(replaying: LiveServer) -> None:
    address = f"http://127.0.0.1:{replaying.port}/api"

    def told() -> tuple[str, int]:
        feed = httpx.get(f"{address}/health").json()["feeds"]["replay"]
        return feed["state"], feed["skipped"]

    deadline = time.monotonic() + 60
    while told() != ("replayed", 1):  # feeds tell of their counts once a second
        assert time.monotonic() < deadline
    (listed,) = httpx.get(f"{address}/instruments").json()
    assert (listed["exchange"], listed["name"]) == ("CSV", "BTC-PERP")


def test_its_bars_are_those_of_the_file(replaying: LiveServer) -> None:
    address = f"http://127.0.0.1:{replaying.port}/api"

    def bars(interval: str) -> list[dict[str, float]]:
        found = httpx.get(f"{address}/instruments/BTC-PERP/bars", params={"interval": interval})
        return found.raise_for_status().json()

    for interval, seconds in (("1m", 60), ("5m", 300)):
        newest = bars(interval)[-1]
        assert (newest["open"], newest["high"], newest["low"]) == (100, 110, 90)
        assert newest["close"] in CLOSES
        assert newest["volume"] in {7, 14, 21}
        assert newest["timestamp"] % (1000 * seconds) == 0
        assert 0 <= time.time() - newest["timestamp"] / 1000 < seconds + 60, "when it was played"
        table = httpx.get(f"{address}/export/bars/{interval}/BTC-PERP.csv").raise_for_status().text
        assert "CSV,BTC-PERP,100.0,110.0,90.0," in table
    assert bars("1s") == [], "a bar of a minute has no parts"


async def stepped(web: Web, runner_id: str) -> RunnerSnapshot:
    """Wait until a runner has had the whole month."""
    for _ in range(1200):
        found = await web.commands.ask(TellRunner(runner_id=runner_id), by=LOCAL)
        if found.stats.ticks_processed >= BARS:
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError(runner_id)


@needs_minutes
async def test_a_replay_as_fast_as_it_goes_waits_for_its_runners(tmp_path: Path) -> None:
    changed = {"replay_file": MINUTES, "replay_loop": False, "data_dir": tmp_path}
    settings = load_settings().model_copy(update=changed | {"feed": ("replay",)})
    product = Product(settings)
    async with product.running():
        web, symbol = product.web, MINUTES.name.partition(".")[0]
        await web.commands.ask(ControlReplay(feed="replay", action="pause"), by=LOCAL)
        for name in TRADED:
            asked = CreateRunner(runner_id=name, symbol=symbol, strategy_name=name)
            made = await web.commands.ask(asked, by=LOCAL)
            assert made.bar == "1m"
        await web.commands.ask(ControlReplay(feed="replay", action="speed"), by=LOCAL)
        await web.commands.ask(ControlReplay(feed="replay", action="resume"), by=LOCAL)
        for name, (count, earned_pct) in TRADED.items():
            found = await stepped(web, name)
            assert (found.stats.ticks_processed, found.stats.dropped) == (BARS, 0)
            assert found.stats.errors == 0
            trades = await web.commands.ask(TellTrades(runner_id=name, count=1000), by=LOCAL)
            assert len(trades) == count
            earned = sum(each.realized_pnl for each in trades)
            assert earned / found.capital * 100 == pytest.approx(earned_pct, abs=1e-9)
