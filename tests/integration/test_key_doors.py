"""All doors of a product that may be reached from elsewhere, so that everybody needs a key."""

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer, free_port


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Give a product that a proxy on this machine could pass requests to without a word."""
    with LiveServer(
        page=False,
        data_dir=tmp_path_factory.mktemp("doors") / "data",
        stream_port=free_port(),
        allowed_hosts="localhost,127.0.0.1,dash.example.org",
    ) as running:
        yield running


def key_of(product: LiveServer) -> str:
    return (product.data_dir / "api-key").read_text().strip()


def stream_url(product: LiveServer) -> str:
    return f"ws://127.0.0.1:{product.settings['DASHBOARD_STREAM_PORT']}"


def status(product: LiveServer, key: str | None) -> int:
    """Ask for something with a key, and give the answer's status."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{product.url}/api/instruments", headers=headers, timeout=10).status_code


def sign_in(product: LiveServer, key: str) -> int:
    """Send the form as a browser does, and give the answer's status."""
    form = {"key": key, "next": "/"}
    return httpx.post(f"{product.url}/sign-in", data=form, timeout=10).status_code


async def authenticate(url: str, key: str) -> str:
    """Show a key by the OpenAlgo protocol; give the error's code, or nothing."""
    async with live(url) as socket:
        await socket.send(json.dumps({"action": "authenticate", "api_key": key}))
        return (await receive(socket)).get("code", "")


def test_the_start_says_who_needs_a_key(product: LiveServer) -> None:
    said = "Everybody needs a key, since dash.example.org is allowed (DASHBOARD_REQUIRE_KEY=auto)"
    assert product.log.read_text().count(said) == 1


async def test_this_machine_needs_a_key_too(product: LiveServer) -> None:
    assert (status(product, None), status(product, key_of(product))) == (401, 200)
    with pytest.raises(InvalidStatus):
        async with live(product.ws_url):
            pass
    async with live(f"{stream_url(product)}/ws") as fast:
        with pytest.raises(ConnectionClosed, match="an API key is needed"):
            await receive(fast)


async def test_a_program_with_a_dead_key_keeps_no_other_out(product: LiveServer) -> None:
    for _ in range(12):
        assert await authenticate(stream_url(product), "lt_dead") == "AUTHENTICATION_ERROR"
        assert status(product, "lt_dead") in {401, 429}
    assert (status(product, "lt_dead"), sign_in(product, "lt_dead")) == (429, 429)
    key = key_of(product)
    assert (status(product, key), sign_in(product, key)) == (200, 303)
    for url in (stream_url(product), f"{product.ws_url}/openalgo"):
        assert await authenticate(url, key) == ""
    for url in (product.ws_url, f"{stream_url(product)}/ws"):
        async with live(f"{url}?api_key={key}") as socket:
            assert "type" in await receive(socket)
