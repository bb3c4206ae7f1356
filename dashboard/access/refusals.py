"""How a request is refused before any route sees it: in the words of what it asked for.

Most are told a line of text. Below the paths of the trading engine every error is its API's own:

    {"status":"error","error":{"code":"FORBIDDEN","message":"…"},"timestamp":1700000000000}
"""

import time
from collections.abc import Mapping

import msgspec
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

ENGINE_PATHS = ("/api/runners", "/api/symbols", "/api/strategies", "/api/backtests")
CODES = {400: "INVALID_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}
"""By their status; another 4xx is INVALID_REQUEST, all else ENGINE_ERROR, which is 500."""


def is_of_engine(path: str) -> bool:
    """Tell whether a path is one of the trading engine's, or below one."""
    return path.startswith(ENGINE_PATHS) and any(
        path == each or path.startswith(f"{each}/") for each in ENGINE_PATHS
    )


def refusal(
    scope: Scope, problem: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the answer to a request that is refused; `problem` is one line."""
    if is_of_engine(scope["path"]):
        return engine_refusal(problem, status, headers=headers)
    return PlainTextResponse(problem + "\n", status_code=status, headers=headers)


def engine_refusal(
    message: str,
    status: int,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make an error of the trading engine's API; `message` names what is allowed."""
    if code is None:
        code = CODES.get(status, "INVALID_REQUEST" if status < 500 else "ENGINE_ERROR")
    status = min(status, 500)
    body = {
        "status": "error",
        "error": {"code": code, "message": message.encode(errors="backslashreplace").decode()},
        "timestamp": time.time_ns() // 1_000_000,
    }
    return Response(
        msgspec.json.encode(body), status, headers=headers, media_type="application/json"
    )
