"""`/api/strategies…`: the strategies that runners run, examples and custom ones.

An error is `{"status":"error","error":{"code","message"},"timestamp"}`.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from dashboard.api.engine_answers import ERRORS, AskEngine, StrategyName, answered, example
from dashboard.api.engine_examples import (
    CODE_LOOKED_AT,
    STRATEGY_DETAILS,
    STRATEGY_ENTRY,
    STRATEGY_SAVED,
)
from dashboard.api.engine_models import (
    CodeLookedAt,
    CodeRequest,
    StrategyDetails,
    StrategyList,
    StrategyRequest,
    StrategySaved,
)
from dashboard.commands.trading import SaveStrategy, TellStrategies, TellStrategy, ValidateStrategy

MAX_VERSION = 2**31 - 1

router = APIRouter(responses=ERRORS, tags=["strategies"])


@router.get(
    "/strategies",
    response_model=StrategyList,
    responses={200: example({"strategies": [STRATEGY_ENTRY]}, "All strategies.")},
)
async def list_strategies(engine: AskEngine) -> Response:
    """List all strategies: the examples, then custom ones, by name."""
    return await engine.answer({"strategies": await engine.ask(TellStrategies())})


@router.post(
    "/strategies",
    response_model=StrategySaved,
    status_code=201,
    responses={201: example(STRATEGY_SAVED, "It is kept.")},
)
async def save_strategy(engine: AskEngine, asked: StrategyRequest) -> Response:
    """Keep code as a custom strategy, or as its next version.

    Runners go on with the version that they run. Code that is not valid is not kept.
    """
    saved = await engine.ask(
        SaveStrategy(name=asked.name, code=asked.code, created_by=engine.asker)
    )
    told = {
        "name": saved.name,
        "category": saved.category,
        "version": saved.version,
        "parameters": saved.parameters,
        "message": f"version {saved.version} is kept",
    }
    return answered(told, 201)


@router.get(
    "/strategies/{name}",
    response_model=StrategyDetails,
    responses={200: example(STRATEGY_DETAILS, "The strategy.")},
)
async def get_strategy(
    engine: AskEngine,
    name: StrategyName,
    version: Annotated[
        int | None, Query(ge=1, le=MAX_VERSION, description="the newest unless given")
    ] = None,
) -> Response:
    """Give one version of a strategy, with its code and its parameters."""
    return await engine.answer(await engine.ask(TellStrategy(name=name, version=version)))


@router.post(
    "/strategies/{name}/validate",
    response_model=CodeLookedAt,
    responses={200: example(CODE_LOOKED_AT, "What was found.")},
)
async def validate_strategy(engine: AskEngine, name: StrategyName, asked: CodeRequest) -> Response:
    """Say what is wrong with code, and where; nothing is kept."""
    del name  # it need not exist: one may validate what is not kept yet
    found = await engine.ask(ValidateStrategy(code=asked.code))
    return answered(
        {
            "valid": not found.problems,
            "errors": found.problems,
            "parameters": found.parameters,
        }
    )
