from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from dashboard.access.origins import POLICY_VIOLATION, Guard
from dashboard.config import LOCAL_HOSTS

LOCAL_ORIGINS = ("http://localhost:3000", "http://127.0.0.1:3000")


class App:
    """The guarded application: notes what gets through to it."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "passed"})


async def request(
    *headers: tuple[bytes, bytes],
    kind: str = "http",
    path: str = "/ws",
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS,
    allowed_origins: tuple[str, ...] = LOCAL_ORIGINS,
    framed: bool = False,
) -> tuple[App, list[Message]]:
    """Send one request through a guard; give the application and what was answered."""
    app = App()
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the guard reads no body")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": kind}
    if kind != "lifespan":
        scope |= {"path": path, "method": "GET", "headers": list(headers)}
    guard = Guard(app, allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, framed=framed)
    await guard(scope, receive, send)
    return app, sent


def problem(
    *,
    host: str | None,
    origin: str | None = None,
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS,
    allowed_origins: tuple[str, ...] = LOCAL_ORIGINS,
) -> str | None:
    guard = Guard(App(), allowed_hosts=allowed_hosts, allowed_origins=allowed_origins)
    given = {"host": host, "origin": origin}
    return guard.problem_with(Headers({k: v for k, v in given.items() if v is not None}))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:3000",
        "LocalHost:8123",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:3000",
    ],
)
def test_an_allowed_host_passes_on_any_port(host: str) -> None:
    assert problem(host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "user@localhost",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "::1",
        "[::2]",
        "[::1]x",
        "localhost:3000:3000",
        "localhost:evil",
        "localhost,evil.example",
        "",
        ":3000",
    ],
)
def test_a_foreign_host_is_refused_by_name(host: str) -> None:
    told = problem(host=host)
    assert told == f"Host {host!r} is not allowed (DASHBOARD_ALLOWED_HOSTS)"


def test_a_missing_host_is_refused() -> None:
    assert problem(host=None) == "Host '' is not allowed (DASHBOARD_ALLOWED_HOSTS)"


def test_a_host_of_the_settings_passes_and_the_default_ones_no_longer_do() -> None:
    assert problem(host="live.example.org:80", allowed_hosts=("live.example.org",)) is None
    assert problem(host="localhost", allowed_hosts=("live.example.org",)) is not None


def test_a_program_without_origin_passes() -> None:
    assert problem(host="localhost:3000", origin=None) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8123", "http://localhost:8123"),
        ("localhost:8123", "https://localhost:8123"),
        ("localhost", "http://localhost"),
        ("LOCALHOST:8123", "HTTP://LocalHost:8123"),
        ("[::1]:8123", "http://[::1]:8123"),
        ("127.0.0.1:1", "http://127.0.0.1:1"),
    ],
)
def test_the_same_origin_passes_on_any_port(host: str, origin: str) -> None:
    assert problem(host=host, origin=origin, allowed_origins=()) is None


@pytest.mark.parametrize("origin", LOCAL_ORIGINS)
def test_an_allowed_origin_passes_at_another_port(origin: str) -> None:
    assert problem(host="localhost:8000", origin=origin) is None
    assert problem(host="localhost:8000", origin=origin, allowed_origins=()) is not None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost",
        "http://localhost:9999",
        "http://localhost:8000.evil.example",
        "http://evil.example:8000",
        "http://localhost:8000/",
        "http://localhost:3000/",
        "ws://localhost:8000",
        "file://",
        "chrome-extension://localhost:8000",
        "localhost:8000",
    ],
)
def test_a_foreign_origin_is_refused_by_name(origin: str) -> None:
    told = problem(host="localhost:8000", origin=origin)
    assert told == f"Origin {origin!r} is not allowed (DASHBOARD_ALLOWED_ORIGINS)"


def test_the_same_origin_of_a_foreign_host_is_refused() -> None:
    told = problem(host="evil.example:3000", origin="http://evil.example:3000")
    assert told is not None
    assert told.startswith("Host ")


def test_a_long_value_is_cut() -> None:
    for told in (
        problem(host="h" * 5000),
        problem(host="localhost", origin="o" * 5000),
    ):
        assert told is not None
        assert len(told) < 200


def fetched(
    site: str, mode: str = "no-cors", dest: str = "image", *, framed: bool = False, **more: str
) -> str | None:
    guard = Guard(App(), allowed_hosts=LOCAL_HOSTS, allowed_origins=LOCAL_ORIGINS)
    given = {
        "host": "localhost:3000",
        "sec-fetch-site": site,
        "sec-fetch-mode": mode,
        "sec-fetch-dest": dest,
    }
    headers = Headers(given | {name.replace("_", "-"): value for name, value in more.items()})
    return guard.problem_with(headers, framed=framed)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "unheard-of", ""])
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("no-cors", "empty"),
        ("no-cors", "document"),
        ("cors", "empty"),
        ("websocket", "websocket"),
        ("navigate", "iframe"),
        ("navigate", "frame"),
        ("navigate", "embed"),
        ("navigate", "object"),
        ("navigate", ""),
        ("", ""),
    ],
)
def test_what_a_foreign_page_embeds_is_refused(site: str, mode: str, dest: str) -> None:
    told = fetched(site, mode, dest)
    assert told is not None
    assert told.startswith("Nothing here may be embedded")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_of_a_foreign_page_leads_here(site: str) -> None:
    assert fetched(site, "navigate", "document") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_link_that_nobody_has_followed_yet_does_not(site: str) -> None:
    """A speculation rule of a foreign page asks with Sec-Fetch-Site none."""
    for purpose in ("prefetch", "prefetch;prerender", "Prefetch"):
        assert fetched(site, "navigate", "document", sec_purpose=purpose) is not None
    assert fetched("same-origin", "navigate", "document", sec_purpose="prefetch") is None


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("dest", ["image", "script", "empty", "document", "iframe"])
def test_what_our_own_page_and_the_address_bar_ask_for_passes(site: str, dest: str) -> None:
    assert fetched(site, dest=dest) is None


def test_an_allowed_origin_may_fetch_from_elsewhere() -> None:
    assert fetched("cross-site", "cors", "empty", origin=LOCAL_ORIGINS[0]) is None
    assert fetched("cross-site", "navigate", "document", origin="https://evil.example") is not None


@pytest.mark.parametrize(
    ("path", "passes"),
    [("/", True), ("/pnl", True), ("/api/export/pnl.csv", False), ("/sse/pnl", False)],
)
async def test_where_pages_may_be_framed_a_frame_leads_to_pages_alone(
    path: str, passes: bool
) -> None:
    headers = (
        HOST,
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-mode", b"navigate"),
        (b"sec-fetch-dest", b"iframe"),
    )
    app, _sent = await request(*headers, path=path, framed=True)
    assert bool(app.scopes) is passes
    app, _sent = await request(*headers, path=path)
    assert not app.scopes


HOST = (b"host", b"localhost:3000")
EVIL_HOST = (b"host", b"evil.example")
EVIL_ORIGIN = (b"origin", b"https://evil.example")


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_good_request_reaches_the_application_unchanged(kind: str) -> None:
    app, sent = await request(HOST, (b"origin", b"http://localhost:3000"), kind=kind)
    assert [scope["headers"][0] for scope in app.scopes] == [HOST]
    assert sent == [{"type": "passed"}]


@pytest.mark.parametrize("headers", [(EVIL_HOST,), (HOST, EVIL_ORIGIN), ()])
async def test_a_bad_http_request_gets_403_and_the_reason(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    app, sent = await request(*headers)
    assert app.scopes == []
    start, body = sent
    assert (start["type"], start["status"]) == ("http.response.start", 403)
    assert body["body"].endswith(b")\n")
    assert b"is not allowed (DASHBOARD_ALLOWED_" in body["body"]


@pytest.mark.parametrize("headers", [(EVIL_HOST,), (HOST, EVIL_ORIGIN), ()])
async def test_a_bad_websocket_is_closed_before_it_is_accepted(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    app, sent = await request(*headers, kind="websocket")
    assert app.scopes == []
    (close,) = sent
    assert (close["type"], close["code"]) == ("websocket.close", POLICY_VIOLATION)
    assert "is not allowed" in close["reason"]


async def test_bytes_that_are_no_text_are_refused() -> None:
    app, sent = await request((b"host", b"\xff\xfe\x00"))
    assert app.scopes == []
    assert sent[0]["status"] == 403


async def test_the_lifespan_passes() -> None:
    app, sent = await request(kind="lifespan")
    assert app.scopes == [{"type": "lifespan"}]
    assert sent == [{"type": "passed"}]


async def test_a_foreign_page_is_refused_by_the_trading_engine_in_its_form() -> None:
    foreign = ((b"host", b"localhost"), (b"origin", b"https://evil.example"))
    app, (start, body) = await request(*foreign, path="/api/runners")
    assert app.scopes == []
    assert start["status"] == 403
    assert b'"code":"FORBIDDEN"' in body["body"]
