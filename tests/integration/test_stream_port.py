"""The product whose stream port another program has already."""

import socket

from websockets.asyncio.client import connect

from tests.integration.stream import BTC, ask, data
from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer


async def test_a_taken_port_is_one_clear_line_and_the_rest_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with LiveServer(page=False, stream_port=port) as server:
            async with live(server.ws_url) as events:
                assert "type" in await receive(events)
            key = (server.data_dir / "api-key").read_text().strip()
            async with connect(f"{server.ws_url}/openalgo") as client:
                await ask(client, {"action": "authenticate", "api_key": key})
                await ask(client, {"action": "subscribe", "mode": 2, **BTC})
                assert (await data(client, 2))["symbol"] == "BTC/USD"
        log = server.log.read_text()
    (line,) = [line for line in log.splitlines() if str(port) in line]
    assert "error" in line
    assert "no stream server" in line
    assert f"DASHBOARD_STREAM_PORT={port} is not allowed; allowed: a free port of" in line
    assert "Address already in use" in line
    assert "Traceback" not in log
