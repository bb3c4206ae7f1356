import base64
import hashlib
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from dashboard.access.response_headers import (
    FOR_EVER,
    Policy,
    ResponseHeaders,
    inline_scripts,
)

POLICY = Policy(scripts=["'sha256-abc='"], frame_ancestors=["https://example.org"])


async def page(_request: Request) -> Response:
    return HTMLResponse("<p>")


async def own(_request: Request) -> Response:
    headers = {"Cache-Control": "private", "Content-Security-Policy": "default-src 'none'"}
    return HTMLResponse("<p>", headers=headers)


async def data(request: Request) -> Response:
    return JSONResponse({}, status_code=int(request.query_params.get("status", "200")))


APP = Starlette(
    routes=[Route("/", page), Route("/own", own), Route("/{path:path}", data)],
)


async def get(
    path: str, *, host: str = "localhost:3000", policy: Policy | None = POLICY
) -> httpx.Headers:
    transport = httpx.ASGITransport(app=ResponseHeaders(APP, policy=policy))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return (await client.get(path, headers={"host": host})).headers


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in map(str.split, policy.split(";"))}


async def test_a_page_runs_its_own_scripts_and_connects_to_its_own_host() -> None:
    headers = await get("/")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-cache"
    assert "x-frame-options" not in headers
    policy = directives(headers["content-security-policy"])
    assert policy["script-src"] == ["'self'", "'sha256-abc='"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["frame-ancestors"] == ["'self'", "https://example.org"]
    assert policy["connect-src"] == [
        "'self'",
        "http://localhost:*",
        "https://localhost:*",
        "ws://localhost:*",
        "wss://localhost:*",
    ]


@pytest.mark.parametrize("host", ["[::1]:3000", "[::1]", "", "a;script-src *", "a b", "a,b:1"])
async def test_a_host_that_no_policy_can_name_is_not_in_it(host: str) -> None:
    policy = directives(Policy(scripts=()).of(host))
    assert policy["connect-src"] == ["'self'"]
    assert policy["script-src"] == ["'self'"]


@pytest.mark.parametrize("host", ["Live.Example.org", "live.example.org:8443", "127.0.0.1:1"])
async def test_a_policy_names_the_host_without_its_port(host: str) -> None:
    sources = directives((await get("/", host=host))["content-security-policy"])["connect-src"]
    assert f"wss://{host.lower().partition(':')[0]}:*" in sources


async def test_what_an_answer_says_itself_holds() -> None:
    headers = await get("/own")
    assert headers["cache-control"] == "private"
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"


async def test_without_a_policy_pages_have_none() -> None:
    assert "content-security-policy" not in await get("/", policy=None)


@pytest.mark.parametrize("status", [200, 404, 422, 503])
@pytest.mark.parametrize("path", ["/api/instruments", "/api/export/pnl.csv", "/metrics"])
async def test_no_answer_of_the_api_is_stored(path: str, status: int) -> None:
    headers = await get(f"{path}?status={status}")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in headers


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/assets/root-zssV3DyR.js", True),
        ("/assets/_pnl_._index-ELO--HkF.js", True),
        ("/assets/plotly-basic.min-C8xYX35c.js", True),
        ("/assets/__reflex_global_styles-BoqsLl33.css", True),
        ("/assets/root-zssV3DyR.js?status=206", True),
        ("/assets/root-zssV3DyR.js?status=404", False),
        ("/assets/root-zssV3DyR.js?status=500", False),
        ("/assets/root.js", False),
        ("/assets/folder/root-zssV3DyR.js", False),
        ("/favicon.svg", False),
        ("/fonts/inter-latin12.woff2", False),
    ],
)
async def test_files_whose_name_changes_with_their_content_are_kept(path: str, kept: bool) -> None:
    assert ((await get(path)).get("cache-control") == FOR_EVER) is kept


def test_the_inline_scripts_of_all_pages_are_found(tmp_path: Path) -> None:
    (tmp_path / "pnl").mkdir()
    (tmp_path / "index.html").write_bytes(
        b'<html><script>one("<p>&amp;")\r\n</script><script src="/a.js">not run</script>'
        b"<style>no script</style><SCRIPT type='module' async>two</SCRIPT><script></script>"
    )
    (tmp_path / "pnl" / "index.html").write_text("<script>one</script><script>two</script>")
    (tmp_path / "no.txt").write_text("<script>three</script>")
    found = inline_scripts(tmp_path)
    assert sorted(found) == sorted(map(source, ['one("<p>&amp;")\n', "two", "", "one"]))


def source(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
