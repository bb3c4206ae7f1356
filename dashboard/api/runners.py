"""`/api/runners…` and `/api/symbols…`: paper-trading runners, made, watched and ended.

An error is `{"status":"error","error":{"code","message"},"timestamp"}`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from dashboard.api.engine_answers import ERRORS, AskEngine, Engine, RunnerId, answered, example
from dashboard.api.engine_examples import (
    BAR,
    RUNNER_DETAILS,
    RUNNER_ENTRY,
    RUNNER_MADE,
    SYMBOL,
    TRADE,
)
from dashboard.api.engine_models import (
    Done,
    MarketDataEntry,
    RunnerDetails,
    RunnerList,
    RunnerMade,
    RunnerRequest,
    SymbolList,
    TradeList,
)
from dashboard.commands.trading import (
    MAX_WINDOW,
    ControlRunner,
    CreateRunner,
    RemoveRunner,
    RunnerSummary,
    TellRunner,
    TellRunnerHistory,
    TellRunners,
    TellTrades,
)
from dashboard.core.errors import TradingError
from dashboard.core.trading.model import RunnerConfig

DEFAULT_COUNT = 100
MAX_TRADES = 10_000

router = APIRouter(responses=ERRORS, tags=["runners"])


@router.get(
    "/runners",
    response_model=RunnerList,
    responses={200: example({"runners": [RUNNER_ENTRY]}, "All runners.")},
)
async def list_runners(engine: AskEngine) -> Response:
    """List all runners, in the order of their ids."""
    return await engine.answer({"runners": await engine.ask(TellRunners())})


@router.post(
    "/runners",
    response_model=RunnerMade,
    status_code=201,
    responses={201: example(RUNNER_MADE, "It was made and runs.")},
)
async def create_runner(engine: AskEngine, asked: RunnerRequest) -> Response:
    """Make a runner and start it. It trades on paper: no order leaves the product.

    Without an exchange the symbol is looked up as everywhere; without a version the newest one
    of the strategy runs, and without a bar each tick is one.
    """
    made = await engine.ask(
        CreateRunner(
            runner_id=asked.runner_id,
            symbol=asked.symbol,
            exchange=asked.exchange,
            strategy_name=asked.strategy_name,
            version=asked.version,
            parameters=asked.parameters,
            capital=asked.capital,
            bar=asked.bar,
            window_size=asked.window_size,
            config=RunnerConfig(**asked.config.model_dump()),
            created_by=engine.asker,
        )
    )
    told = {"runner_id": made.runner_id, "symbol": made.symbol, "message": "the runner is running"}
    return answered(told, 201)


async def _tell(engine: Engine, runner_id: str) -> Response:
    return await engine.answer(await engine.ask(TellRunner(runner_id=runner_id)))


@router.get(
    "/runners/{runner_id}",
    response_model=RunnerDetails,
    responses={200: example(RUNNER_DETAILS, "The runner.")},
)
async def get_runner(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Give all of a runner, as its snapshot does."""
    return await _tell(engine, runner_id)


@router.get(
    "/runners/{runner_id}/snapshot",
    response_model=RunnerDetails,
    responses={200: example(RUNNER_DETAILS, "The runner.")},
)
async def get_runner_snapshot(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Give all of a runner as it is now: its state, position, context, statistics and log."""
    return await _tell(engine, runner_id)


@router.get(
    "/runners/{runner_id}/history",
    response_model=list[MarketDataEntry],
    responses={200: example([BAR], "Bars or ticks, oldest first.")},
)
async def get_runner_history(
    engine: AskEngine,
    runner_id: RunnerId,
    count: Annotated[int, Query(ge=1, le=MAX_WINDOW, description="at most")] = DEFAULT_COUNT,
) -> Response:
    """List the newest bars or ticks of a runner's window, oldest first."""
    asked = TellRunnerHistory(runner_id=runner_id, count=count)
    return await engine.answer(await engine.ask(asked))


@router.get(
    "/runners/{runner_id}/trades",
    response_model=TradeList,
    responses={200: example({"trades": [TRADE]}, "Trades, oldest first.")},
)
async def list_trades(
    engine: AskEngine,
    runner_id: RunnerId,
    count: Annotated[int, Query(ge=1, le=MAX_TRADES, description="at most")] = DEFAULT_COUNT,
) -> Response:
    """List the newest trades that runners of this id have closed, oldest first.

    They outlive the runner, so an id that is not known has none.
    """
    asked = TellTrades(runner_id=runner_id, count=count)
    return await engine.answer({"trades": await engine.ask(asked)})


async def _control(engine: Engine, runner_id: str, action: str) -> Response:
    message = await engine.ask(ControlRunner(runner_id=runner_id, action=action))
    return answered({"success": True, "message": message})


def _done(message: str) -> dict[str, Any]:
    return example({"success": True, "message": message}, "It is done.")


@router.post(
    "/runners/{runner_id}/pause",
    response_model=Done,
    responses={200: _done("the runner is paused")},
)
async def pause_runner(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Let nothing reach a runner; its stop and its target rest, too. Twice is no error."""
    return await _control(engine, runner_id, "pause")


@router.post(
    "/runners/{runner_id}/resume",
    response_model=Done,
    responses={200: _done("the runner is running")},
)
async def resume_runner(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Let a paused runner go on, or a stopped one begin anew with its context.

    Twice is no error.
    """
    return await _control(engine, runner_id, "resume")


@router.post(
    "/runners/{runner_id}/stop",
    response_model=Done,
    responses={200: _done("the runner is stopped")},
)
async def stop_runner(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Stop a runner; its position is closed at the last price. Twice is no error."""
    return await _control(engine, runner_id, "stop")


@router.delete("/runners/{runner_id}", status_code=204, response_class=Response)
async def remove_runner(engine: AskEngine, runner_id: RunnerId) -> Response:
    """Stop a runner and forget it, its closed trades excepted."""
    await engine.ask(RemoveRunner(runner_id=runner_id))
    return Response(status_code=204)


@router.get(
    "/symbols",
    response_model=SymbolList,
    responses={200: example({"symbols": [SYMBOL]}, "Symbols that have runners.")},
    tags=["symbols"],
)
async def list_symbols(engine: AskEngine) -> Response:
    """List the symbols that have a runner."""
    counted = Counter((each.symbol, each.exchange) for each in await engine.ask(TellRunners()))
    return await engine.answer(
        {
            "symbols": [
                {"symbol": symbol, "exchange": exchange, "runners": count}
                for (symbol, exchange), count in sorted(counted.items())
            ]
        }
    )


@router.get(
    "/symbols/{symbol:path}/runners",
    response_model=RunnerList,
    responses={200: example({"runners": [RUNNER_ENTRY]}, "The runners of the symbol.")},
    tags=["symbols"],
)
async def list_symbol_runners(
    engine: AskEngine,
    symbol: Annotated[
        str, Path(description="symbol or full id, `EXCHANGE:SYMBOL`", examples=["BTCUSDT"])
    ],
) -> Response:
    """List the runners of a symbol; there may be none."""
    found = _of_symbol(await engine.ask(TellRunners()), symbol)
    if not found and not engine.knows(symbol):
        problem = f"symbol {symbol[:100]!r} is not known; allowed: a name of GET /api/instruments"
        raise TradingError(code="INVALID_REQUEST", problem=problem)
    return await engine.answer({"runners": found})


def _of_symbol(runners: Sequence[RunnerSummary], name: str) -> Sequence[RunnerSummary]:
    return [each for each in runners if name in {each.symbol, f"{each.exchange}:{each.symbol}"}]
