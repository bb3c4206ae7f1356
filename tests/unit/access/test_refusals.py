"""The form in which a request is refused depends on what it asked for."""

import json
import time

import pytest

from dashboard.access.refusals import engine_refusal, is_of_engine, refusal


@pytest.mark.parametrize(
    ("path", "is_engines"),
    [
        ("/api/runners", True),
        ("/api/runners/one/snapshot", True),
        ("/api/symbols", True),
        ("/api/strategies/a", True),
        ("/api/backtests", True),
        ("/api/runnersx", False),
        ("/api/instruments/runners", False),
        ("/api/health", False),
        ("/runners", False),
    ],
)
def test_below_the_engines_paths_refusals_are_its_errors(path: str, is_engines: bool) -> None:
    assert is_of_engine(path) is is_engines
    answer = refusal({"type": "http", "path": path}, "no", 403, {"X-A": "b"})
    assert (answer.status_code, answer.headers["x-a"]) == (403, "b")
    if not is_engines:
        assert bytes(answer.body) == b"no\n"
        return
    body = json.loads(bytes(answer.body))
    assert abs(body.pop("timestamp") - time.time_ns() / 1e6) < 60_000
    assert body == {"status": "error", "error": {"code": "FORBIDDEN", "message": "no"}}


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (400, 400, "INVALID_REQUEST"),
        (401, 401, "UNAUTHORIZED"),
        (403, 403, "FORBIDDEN"),
        (404, 404, "INVALID_REQUEST"),
        (405, 405, "INVALID_REQUEST"),
        (429, 429, "RATE_LIMITED"),
        (500, 500, "ENGINE_ERROR"),
        (503, 500, "ENGINE_ERROR"),
    ],
)
def test_a_status_has_its_code(status: int, answered: int, code: str) -> None:
    answer = engine_refusal("no", status)
    assert answer.status_code == answered
    assert json.loads(bytes(answer.body))["error"]["code"] == code


def test_what_is_no_text_is_shown_escaped() -> None:
    answer = engine_refusal("name '\ud800'", 400)
    assert json.loads(bytes(answer.body))["error"]["message"] == "name '\\ud800'"
