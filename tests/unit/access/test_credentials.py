import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from dashboard.access.credentials import (
    client_address,
    is_local,
    shown_key,
    shown_session,
    without_credentials,
)

SHOWN = "lt_secret"


def scope(
    *headers: tuple[str, str],
    client: str | None = "127.0.0.1",
    kind: str = "http",
    path: str = "/api/instruments",
    query: str = "",
) -> Scope:
    return {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": client and (client, 1234),
    }


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_local(client: str) -> None:
    assert is_local(scope(client=client))


@pytest.mark.parametrize(
    "client", ["10.0.0.1", "::2", "::ffff:10.0.0.1", "8.8.8.8", "", "localhost", None]
)
def test_everything_else_is_not(client: str | None) -> None:
    assert not is_local(scope(client=client))


@pytest.mark.parametrize(
    "name",
    [
        *("forwarded", "via", "x-real-ip", "true-client-ip", "x-original-forwarded-for"),
        *("x-forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-server", "x-forwarded-prefix", "X-Forwarded-For"),
    ],
)
def test_what_came_through_a_proxy_is_not_local(name: str) -> None:
    assert not is_local(scope((name, "127.0.0.1")))
    assert not is_local(scope((name, "")))


@pytest.mark.parametrize(
    ("version", "local"), [("1", False), ("1.0", False), ("0.9", False), ("1.1", True), ("2", True)]
)
def test_the_http_of_stock_proxies_is_not_local(version: str, local: bool) -> None:
    assert is_local({**scope(), "http_version": version}) is local


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "invented, 10.0.0.1", "10.0.0.1"),
        ("10.0.0.9", "10.0.0.1", "10.0.0.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1,", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1:51234", "10.0.0.1"),
        ("127.0.0.1", "[2001:db8::1]:51234", "2001:db8::1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "invented " * 1000, "127.0.0.1"),
    ],
)
def test_failures_count_for_whom_the_nearest_proxy_saw(
    client: str, forwarded: str | None, expected: str
) -> None:
    headers = [] if forwarded is None else [("x-forwarded-for", forwarded)]
    assert client_address(scope(*headers, client=client)) == expected


def test_who_has_no_address_counts_too() -> None:
    assert client_address(scope(client=None)) == "unknown"
    assert client_address(scope(("x-forwarded-for", "10.0.0.1"), client=None)) == "unknown"


def test_of_several_forwarded_headers_the_last_counts() -> None:
    headers = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]
    assert client_address(scope(*headers)) == "2.2.2.2"


@pytest.mark.parametrize("value", [f"Bearer {SHOWN}", f"bearer  {SHOWN} ", f"BEARER {SHOWN}"])
def test_a_key_is_shown_as_bearer(value: str) -> None:
    assert shown_key(scope(("authorization", value))) == SHOWN


def test_a_key_in_the_address_is_for_sockets_and_event_streams_alone() -> None:
    query = f"since=1&api_key={SHOWN}&api_key=other"
    assert shown_key(scope(kind="websocket", path="/ws", query=query)) == SHOWN
    assert shown_key(scope(path="/sse/BTC/USD", query=query)) == SHOWN
    assert shown_key(scope(path="/api/instruments", query=query)) is None


@pytest.mark.parametrize("value", ["Basic eDp5", SHOWN, "", "Bearer"])
def test_other_authorization_shows_no_key(value: str) -> None:
    assert not shown_key(scope(("authorization", value)))


@pytest.mark.parametrize(
    "cookie", ["livetape_session=abc", "a=1; livetape_session=abc; b=2", "a=1;livetape_session=abc"]
)
def test_a_session_is_found_among_the_cookies(cookie: str) -> None:
    assert shown_session(scope(("cookie", cookie))) == "abc"


@pytest.mark.parametrize("cookie", ["", "livetape_session2=abc", "a=livetape_session", "x"])
def test_no_session_is_found_where_there_is_none(cookie: str) -> None:
    assert shown_session(scope(("cookie", cookie))) is None


def test_nothing_that_was_shown_goes_on() -> None:
    shown = scope(
        ("authorization", f"Bearer {SHOWN}"),
        ("cookie", f"theme=dark; livetape_session={SHOWN}; b=2"),
        ("accept", "*/*"),
        query=f"since=a:1&api_key={SHOWN}&x=%2B",
    )
    passed = without_credentials(shown)
    assert passed["headers"] == [(b"cookie", b"theme=dark; b=2"), (b"accept", b"*/*")]
    assert passed["query_string"] == b"since=a:1&x=%2B"
    assert SHOWN in str(shown)


@pytest.mark.parametrize("name", ["api_key", "api%5Fkey", "%61pi_key", "api%5fkey"])
def test_no_spelling_of_the_parameter_goes_on(name: str) -> None:
    shown = scope(kind="websocket", query=f"a=1&{name}={SHOWN}&b")
    assert shown_key(shown) == SHOWN
    assert without_credentials(shown)["query_string"] == b"a=1&b"


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_of_any_kind_do_no_harm(header: bytes, query: bytes) -> None:
    hostile = scope(kind="websocket")
    hostile["headers"] = [
        (b"authorization", header),
        (b"cookie", header),
        (b"x-forwarded-for", header),
    ]
    hostile["query_string"] = query
    shown_key(hostile)
    shown_session(hostile)
    client_address(hostile)
    assert not is_local(hostile)
    passed = without_credentials(hostile)
    assert shown_key(passed) is None
    assert shown_session(passed) is None
