"""The trading engine in the product: the simulator's ticks, the real sandbox, a real database."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from dashboard.bootstrap.product import Product
from dashboard.commands.trading import (
    ControlRunner,
    CreateRunner,
    RunnerSnapshot,
    SaveStrategy,
    TellEngine,
    TellRunner,
    TellTrades,
)
from dashboard.config import load_settings
from dashboard.core.principal import LOCAL
from dashboard.core.trading.model import State

CODE = """
function detect_opportunity(market_data, context)
  context.ticks = (context.ticks or 0) + 1
  return {signal = "always"}
end

function filter_commitment(market_data, context)
  context.ticks = context.ticks + 1
  return {action = "enter_long", quantity = 0.5}
end

function manage_position(market_data, context)
  context.ticks = context.ticks + 1
end
"""


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[Product]:
    product = Product(load_settings().model_copy(update={"data_dir": folder}))
    async with asyncio.timeout(60), product.running():
        yield product
    assert product.hub.failures.by_place == {}


async def snapshot(product: Product) -> RunnerSnapshot:
    return await product.web.commands.ask(TellRunner(runner_id="one"), by=LOCAL)


async def until(product: Product, holds: Callable[[RunnerSnapshot], bool]) -> RunnerSnapshot:
    while not holds(told := await snapshot(product)):  # noqa: ASYNC110 - it is another's state
        await asyncio.sleep(0.01)
    return told


async def test_a_runner_trades_on_the_simulator_and_outlives_the_product(tmp_path: Path) -> None:
    async with running(tmp_path) as product:
        ask = product.web.commands.ask
        await ask(SaveStrategy(name="holder", code=CODE), by=LOCAL)
        asked = CreateRunner(runner_id="one", symbol="BTC/USD", strategy_name="holder")
        await ask(asked, by=LOCAL)
        before = await until(
            product, lambda told: told.stats.ticks_processed > 5 and told.position is not None
        )
        assert before.context["ticks"] == before.stats.ticks_processed
        assert before.feed_state == "live"
        status = await ask(TellEngine(), by=LOCAL)
        assert (status.runners, status.healthy) == (1, 1)
    async with running(tmp_path) as product:
        after = await until(product, lambda told: told.away_ms is not None)
        assert before.position is not None
        assert after.position is not None
        assert after.position.entry_price == before.position.entry_price
        assert after.context["ticks"] >= before.context["ticks"]
        await until(product, lambda told: told.context["ticks"] > after.context["ticks"])
        ask = product.web.commands.ask
        await ask(ControlRunner(runner_id="one", action="stop"), by=LOCAL)
        assert (await snapshot(product)).state is State.IDLE
        (trade,) = await ask(TellTrades(runner_id="one"), by=LOCAL)
        assert (trade.reason, trade.stale) == ("runner stopped", False)
