from types import SimpleNamespace
from typing import Any

import pytest
from reflex.app import EventNamespace
from reflex.state import FrontendEventExceptionState
from structlog.testing import capture_logs

from dashboard.access.principals import PRINCIPAL
from dashboard.core.errors import PageEventError
from dashboard.core.principal import CONTROL, LOCAL, NOBODY, STREAM, Principal, require
from dashboard.ui import page_socket
from dashboard.ui.page_socket import (
    LINES_S,
    MAX_ARGUMENTS_BYTES,
    MAX_ERROR_CHARACTERS,
    MAX_LINES,
    RELOADED_ON,
    Lines,
    PageSocket,
    admitted,
    event_failed,
    page_failed,
    page_principal,
    refusals,
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


READER = Principal(user_id="ann", scopes=frozenset({STREAM}), key_id=1, key_name="laptop")


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch) -> PageSocket:
    """Give the pages' socket, where a page's address is its client token alone."""

    async def link(self: PageSocket, sid: str, environ: dict[str, Any], _auth: Any) -> None:
        if environ["QUERY_STRING"] == "bad":
            raise ValueError
        await self._token_manager.link_token_to_sid(environ["QUERY_STRING"], sid)

    monkeypatch.setattr(EventNamespace, "on_connect", link)
    made = PageSocket("/_event", SimpleNamespace(_event_processor=None))  # pyright: ignore[reportArgumentType] - a fake
    monkeypatch.setattr(page_socket, "_socket", made)
    return made


def environ(token: str, principal: Principal) -> dict[str, Any]:
    return {"QUERY_STRING": token, "asgi.scope": {PRINCIPAL: principal}}


async def test_a_page_is_who_opened_its_socket_until_it_leaves(socket: PageSocket) -> None:
    await socket.on_connect("sid 1", environ("reader", READER))
    await socket.on_connect("sid 2", environ("local", LOCAL))
    assert (page_principal("reader"), page_principal("local")) == (READER, LOCAL)
    assert page_principal("another") == NOBODY
    left = socket.on_disconnect("sid 1")
    assert left is not None
    await left
    assert page_principal("reader") == NOBODY
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is
        await socket.on_connect("sid 3", environ("bad", LOCAL))
    assert list(socket._principals) == ["sid 2"]


async def test_another_page_of_a_token_is_who_it_is_itself(socket: PageSocket) -> None:
    await socket.on_connect("sid 1", environ("token", READER))
    await socket.on_connect("sid 2", environ("token", LOCAL))
    assert page_principal("token") == READER
    assert page_principal(socket.sid_to_token["sid 2"]) == LOCAL


def test_what_a_page_may_not_is_refused_and_counted(socket: PageSocket) -> None:
    done: list[Principal] = []
    for principal in (READER, LOCAL):
        with refusals():
            require(principal, CONTROL)
            done.append(principal)
    assert done == [LOCAL]
    assert socket.refused == 1
