"""What all of the trading engine's API shares: whom it asks, how it answers, and its errors."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import chain
from typing import Annotated, Any, cast

import msgspec
from fastapi import Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from dashboard.access.principals import principal_of
from dashboard.access.refusals import engine_refusal, is_of_engine
from dashboard.access.turns import Turns
from dashboard.api.engine_models import PATTERNS, ErrorAnswer
from dashboard.api.running import Running
from dashboard.commands.requests import Answer, Command
from dashboard.commands.trading import ALLOWED_NAMES, NAME_PATTERN
from dashboard.core.errors import (
    LivetapeError,
    ScopeError,
    StorageError,
    StrategyError,
    TradingError,
)
from dashboard.core.principal import Principal

STATUS = {
    "RUNNER_NOT_FOUND": 404,
    "STRATEGY_NOT_FOUND": 404,
    "INVALID_REQUEST": 400,
    "STRATEGY_ERROR": 400,
    "ENGINE_ERROR": 500,
}
Handler = Callable[[Request, Exception], Awaitable[Response]]
SHOWN = 100
"""Characters of what was sent that an error repeats."""
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "It was not done; the message says why."},
    "5XX": {"model": ErrorAnswer, "description": "The engine cannot do it."},
}


class Engine:
    """The trading engine as one request may use it: asked through the door, in turn."""

    def __init__(self, running: Running, turns: Turns, principal: Principal) -> None:
        self._running = running
        self._turns = turns
        self._principal = principal

    @property
    def asker(self) -> str:
        """Name who asks: the key that was shown, or whose this machine is."""
        return (self._principal.key_name or self._principal.user_id)[:SHOWN]

    def knows(self, symbol: str) -> bool:
        """Tell whether a symbol or a full id is listed by any feed."""
        return self._running.directory.find(symbol) is not None

    async def ask(self, command: Command[Answer]) -> Answer:
        """Have something done, and give its answer.

        Raises:
            LivetapeError: when it cannot be done.
        """
        return await self._running.commands.ask(command, by=self._principal)

    async def answer(self, content: object, status: int = 200) -> Response:
        """Encode an answer, in a turn of its own: it may be long."""
        async with self._turns.one():
            return answered(content, status)


def answered(content: object, status: int = 200) -> Response:
    """Encode an answer at once: no model need check what is typed already."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _engine(request: Request) -> Engine:
    state = request.app.state
    return Engine(state.running, state.turns, principal_of(request.scope))


AskEngine = Annotated[Engine, Depends(_engine)]
RunnerId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=NAME_PATTERN,
        description=ALLOWED_NAMES,
        examples=["btc_ema_prod"],
    ),
]
StrategyName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=NAME_PATTERN,
        description=ALLOWED_NAMES,
        examples=["ema_crossover"],
    ),
]


def example(content: object, description: str) -> dict[str, Any]:
    """Describe an answer by an example."""
    return {
        "description": description,
        "content": {"application/json": {"example": content}},
    }


def by_path(engine: Handler, *, others: Handler) -> Handler:
    """Let errors below the engine's paths be answered in one form, and all others in another."""

    async def answer(request: Request, error: Exception) -> Response:
        handler = engine if is_of_engine(request.url.path) else others
        return await handler(request, error)

    return answer


async def not_done(_request: Request, error: Exception) -> Response:
    """Answer with why something could not be done."""
    match error:
        case TradingError(code=code, problem=problem):
            return engine_refusal(problem, STATUS.get(code, 500), code=code)
        case StrategyError(problem=problem):
            return engine_refusal(problem, 400, code="STRATEGY_ERROR")
        case ScopeError():
            return engine_refusal(str(error), 403)
        case StorageError():
            return engine_refusal("the database cannot do it at the moment", 500)
        case _:
            problem = str(error) if isinstance(error, LivetapeError) else "the engine failed"
            return engine_refusal(problem, 500)


async def not_allowed(_request: Request, error: Exception) -> Response:
    """Answer with what is wrong with a request, and what is allowed."""
    return engine_refusal(_problem(cast("RequestValidationError", error).errors()[0]), 400)


async def not_served(request: Request, error: Exception) -> Response:
    """Answer to what no route serves, or cannot be read."""
    problem = cast("HTTPException", error)
    if problem.status_code == 400:
        return engine_refusal("the body cannot be read; allowed: JSON in UTF-8", 400)
    what = f"{request.method} {request.url.path[:200]}: {problem.detail}"
    message = f"{what}; allowed: what /api/openapi.json describes"
    return engine_refusal(message, problem.status_code, headers=with_methods(request, problem))


def with_methods(request: Request, problem: HTTPException) -> Mapping[str, str] | None:
    """Give the headers of an error; where a method is not allowed, they name all that are.

    Starlette names those of the first route of a path alone.
    """
    if problem.status_code != 405:
        return problem.headers
    allowed: set[str] = set()
    for route in chain.from_iterable(each.routes for each in request.app.state.routers):
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            allowed |= route.methods or set()
    return {**(problem.headers or {}), "Allow": ", ".join(sorted(allowed))}


def _problem(found: Mapping[str, Any]) -> str:
    """Say in one line what pydantic has found: which field, what it was, and what is allowed."""
    kind, message = found["type"], found["msg"]
    field = ".".join(str(each) for each in found["loc"][1:])
    if kind == "json_invalid":
        return f"the body is no JSON: {message}; allowed: a JSON object"
    if kind == "unknown_field":
        return f"{message} (in {field})" if field else message
    if kind == "missing":
        return f"field {field!r} is missing; allowed: with it" if field else "a body is needed"
    pattern = found.get("ctx", {}).get("pattern")
    allowed = PATTERNS.get(pattern, message)
    shown = "" if kind == "too_long" else f"={_shown(found['input'])}"
    return f"{field or 'the body'}{shown} is not allowed; allowed: {allowed}"


def _shown(value: object) -> str:
    """Repeat what was sent, as far as that helps."""
    return repr(value[:SHOWN] if isinstance(value, str | bytes) else value)[: SHOWN + 2]
