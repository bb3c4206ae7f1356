"""Who needs a key behind an nginx that is told nothing but what it is before."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.ws_client import live
from tests.live_server import LiveServer
from tests.nginx_server import NginxServer, missing


@pytest.fixture(scope="module")
def proxy(server: LiveServer) -> Iterator[NginxServer]:
    if reason := missing():
        pytest.skip(reason)
    with NginxServer(server.port) as running:
        yield running


def bearer(server: LiveServer) -> dict[str, str]:
    key = (server.data_dir / "api-key").read_text().strip()
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("path", ["/api/instruments", "/metrics", "/sse/BTC/USD", "/ping", "/"])
def test_nobody_behind_it_is_taken_for_this_machine(
    server: LiveServer, proxy: NginxServer, path: str
) -> None:
    assert httpx.get(proxy.url + path).status_code == 401
    wrong = httpx.get(proxy.url + path, headers={"Authorization": "Bearer x"})
    assert wrong.status_code in {401, 429}
    assert httpx.get(f"{server.url}/api/instruments").is_success  # which needs none itself


def test_health_is_open_and_a_key_gets_in(server: LiveServer, proxy: NginxServer) -> None:
    assert httpx.get(f"{proxy.url}/api/health").is_success
    assert httpx.get(f"{proxy.url}/api/instruments", headers=bearer(server)).is_success
    assert httpx.get(f"{proxy.url}/metrics", headers=bearer(server)).is_success


async def test_no_websocket_gets_past_it_without_a_key(proxy: NginxServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with live(f"ws://127.0.0.1:{proxy.port}/ws"):
            pass
    assert refused.value.response.status_code in {401, 403}


def test_a_browser_signs_in_through_it(server: LiveServer, proxy: NginxServer) -> None:
    with httpx.Client(base_url=proxy.url) as browser:
        asked = browser.get("/pnl", headers={"Accept": "text/html"})
        assert (asked.status_code, "API key" in asked.text) == (401, True)
        key = bearer(server)["Authorization"].removeprefix("Bearer ")
        answer = browser.post("/sign-in", data={"key": key, "next": "/pnl"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/pnl")
        assert browser.get("/api/instruments").is_success
