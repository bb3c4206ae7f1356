"""Keys with the real app: the first one, who may in, and what never tells of them."""

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.ws_client import live, receive
from tests.live_server import ROOT, LiveServer, environment, run_keys

PROXIED = {"X-Forwarded-For": "203.0.113.7"}
DEADLINE_S = 20


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Give the API of a product on an empty data folder."""
    with LiveServer(page=False, data_dir=tmp_path_factory.mktemp("keys") / "data") as running:
        yield running


def first_key(product: LiveServer) -> str:
    return (product.data_dir / "api-key").read_text().strip()


def get(product: LiveServer, path: str, key: str | None = None) -> httpx.Response:
    """Ask through what looks like a proxy."""
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.get(product.url + path, headers=PROXIED | shown, timeout=10)


async def socket_status(url: str) -> int:
    """Give 101 when `/ws` sends an event, or the status that refused the handshake."""
    try:
        async with live(url, additional_headers=PROXIED) as socket:
            assert "type" in await receive(socket)
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_the_first_key_is_its_owners_alone_and_holds(product: LiveServer) -> None:
    file = product.data_dir / "api-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((product.data_dir / "livetape.db").stat().st_mode) == 0o600
    assert get(product, "/api/instruments", first_key(product)).is_success
    assert f"The first API key is in {file}" in product.log.read_text()


def test_this_machine_needs_no_key(product: LiveServer) -> None:
    assert httpx.get(product.url + "/api/instruments").is_success


@pytest.mark.parametrize("path", ["/api/instruments", "/metrics", "/sse/BTC/USD", "/ping", "/"])
def test_through_a_proxy_everything_needs_a_key_but_health(product: LiveServer, path: str) -> None:
    assert get(product, path).status_code == 401
    assert get(product, path, "lt_" + "x" * 43).status_code in {401, 429}
    assert get(product, "/api/health").is_success


async def test_websockets_and_the_pages_own_socket_need_a_key(product: LiveServer) -> None:
    assert await socket_status(product.ws_url) in {401, 403}
    page_socket = product.ws_url.removesuffix("/ws") + "/_event/?EIO=4&transport=websocket"
    assert await socket_status(page_socket) in {401, 403}
    assert await socket_status(f"{product.ws_url}?api_key={first_key(product)}") == 101


def test_an_event_stream_takes_the_key_from_its_address(product: LiveServer) -> None:
    url = f"{product.url}/sse/BTC/USD?api_key={first_key(product)}"
    with httpx.stream("GET", url, headers=PROXIED, timeout=10) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines())


def test_a_key_made_beside_the_product_holds_at_once_and_ends_in_seconds(
    product: LiveServer,
) -> None:
    key = run_keys(product, "create", "robot")
    assert get(product, "/api/instruments", key).is_success
    run_keys(product, "revoke", "robot")
    deadline = time.monotonic() + DEADLINE_S
    while get(product, "/api/instruments", key).is_success:
        assert time.monotonic() < deadline, "a revoked key still holds"
        time.sleep(0.2)
    assert get(product, "/api/instruments", first_key(product)).is_success


def test_a_restart_makes_no_other_key_and_the_log_holds_none(product: LiveServer) -> None:
    key = first_key(product)
    product.restart()
    assert first_key(product) == key
    assert get(product, "/api/instruments", key).is_success
    log = product.log.read_text()
    assert log.count("The first API key") == 1
    assert key not in log
    assert "Traceback" not in log


def test_a_database_of_no_use_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "livetape.db").write_text("no database" * 1000)
    ended = subprocess.run(
        [sys.executable, "-m", "reflex", "run", "--env", "prod", "--backend-only"],
        cwd=ROOT,
        env=environment() | {"DASHBOARD_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    line = ended.stderr.strip().splitlines()[-1]
    assert line.endswith("livetape.db: file is not a database")
    assert "Traceback" not in ended.stderr
