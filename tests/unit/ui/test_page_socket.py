from typing import Any

import pytest
from reflex.state import FrontendEventExceptionState
from structlog.testing import capture_logs

from dashboard.core.errors import PageEventError
from dashboard.ui import page_socket
from dashboard.ui.page_socket import (
    LINES_S,
    MAX_ARGUMENTS_BYTES,
    MAX_ERROR_CHARACTERS,
    MAX_LINES,
    RELOADED_ON,
    Lines,
    admitted,
    event_failed,
    page_failed,
)

REFLEX_RELOADS_ON = list(FrontendEventExceptionState.auto_reload_on_errors)
"""As Reflex has them, before an app of ours was made."""
NAMES = ("choose", "watch", "stream", "setvar", "hydrate_and_load", "handle_frontend_exception")
HANDLERS = {f"state.{name}": None for name in NAMES}


def event(name: str, **payload: Any) -> dict[str, Any]:
    return {"name": f"state.{name}", "payload": payload, "router_data": {"pathname": "/"}}


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_socket, "_errors", Lines(MAX_LINES, span_s=LINES_S))


def test_event_of_a_page_comes_in_as_it_is() -> None:
    chosen = event("choose", symbol="AAPL")
    assert admitted(chosen, HANDLERS) == chosen
    assert admitted({"name": "state.choose"}, HANDLERS) == {"name": "state.choose", "payload": {}}


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (None, "no event"),
        ("text", "no event"),
        ([], "no event"),
        ({}, "unknown handler"),
        ({"name": ["state.choose"]}, "unknown handler"),
        (event("nothing", text="x" * 900_000), "unknown handler"),
        (event("setvar", var_name="a", value=1), "not for pages"),
        (event("stream"), "not for pages"),
        ({"name": "state.choose", "payload": "text"}, "no arguments"),
        (event("choose", symbol="x" * MAX_ARGUMENTS_BYTES), "too long"),
        (event("watch", symbols=["x"] * MAX_ARGUMENTS_BYTES), "too long"),
        (event("choose", vars={"a": "x" * MAX_ARGUMENTS_BYTES}), "too long"),
        (event("hydrate_and_load", vars="x" * MAX_ARGUMENTS_BYTES), "too long"),
        (event("hydrate_and_load", vars={}, hashes=["x" * 100_000]), "too long"),
        (event("choose") | {"router_data": {"query": "x" * MAX_ARGUMENTS_BYTES}}, "too long"),
    ],
)
def test_what_no_page_sends_is_refused(sent: object, problem: str) -> None:
    with pytest.raises(PageEventError) as refused:
        admitted(sent, HANDLERS)
    assert refused.value.problem == problem


def test_longest_watchlist_comes_in() -> None:
    watched = event("watch", symbols=["x" * 100] * 50)
    assert admitted(watched, HANDLERS) == watched


def test_what_the_browser_has_stored_is_left_out_where_it_is_too_long() -> None:
    stored = {"state.watchlist": "x" * MAX_ARGUMENTS_BYTES, "state.minutes": "5"}
    came = admitted(event("hydrate_and_load", vars=stored, hashes=["a"]), HANDLERS)
    assert came["payload"] == {"vars": {"state.minutes": "5"}, "hashes": ["a"]}


def test_error_of_a_page_is_cut() -> None:
    told = event("handle_frontend_exception", info="x" * 100_000, component_stack=None)
    payload = admitted(told, HANDLERS)["payload"]
    assert payload == {"info": "x" * MAX_ERROR_CHARACTERS, "component_stack": "None"}


@pytest.mark.parametrize("failed", [page_failed, event_failed])
def test_error_is_logged_in_one_line_of_plain_characters(failed: Any) -> None:
    forged = "x\n2026-01-01T00:00:00Z [info     ] key created\r\x1b[2J\u2028" + "y" * 100_000
    with capture_logs() as logs:
        failed(ValueError(forged))
    (line,) = logs
    text = line.get("told") or line["error"]
    assert text.isprintable()
    assert text.isascii()
    assert len(text) < MAX_ERROR_CHARACTERS + 100


def test_errors_do_not_fill_the_log() -> None:
    with capture_logs() as logs:
        for _ in range(1000):
            page_failed(ValueError("again"))
            event_failed(ValueError("again"))
    assert len(logs) == MAX_LINES + 1
    assert logs[-1]["event"] == "more page errors, not logged"


def test_lines_go_on_after_their_span() -> None:
    lines = Lines(2, span_s=60)
    assert [lines.allow(now) for now in (0, 1, 2, 59.9, 60, 61, 62)] == [
        *(True, True, False, False),
        *(True, True, False),
    ]


@pytest.mark.parametrize(
    "error",
    [
        "TypeError: Cannot read properties of null (reading 'focus')\n at x.js",
        "TypeError: null is not an object (evaluating 'a.focus')",
        'TypeError: can\'t access property "focus" of null',
        'TypeError: can\'t access property "focus", a.current is null\nfocus@http://localhost/x.js',
        'TypeError: can\'t access property "focus", document.querySelector(...) is null',
    ],
)
def test_pages_load_anew_on_what_reflex_reloads_them_on(error: str) -> None:
    assert RELOADED_ON.search(error)
    assert any(each.search(error) for each in REFLEX_RELOADS_ON)


def test_pages_do_not_load_anew_on_other_errors() -> None:
    assert not RELOADED_ON.search("TypeError: a is not a function")
