"""The product as a user starts it: the stream server beside the page's port, with real keys."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from openalgo import api
from websockets.asyncio.client import ClientConnection, connect

from tests.integration.stream import BTC, ask, data, receive
from tests.integration.test_health import metrics
from tests.integration.ws_client import live
from tests.live_server import ROOT, LiveServer, free_port

STOP_TIMEOUT_S = 30


def key_of(folder: Path) -> str:
    return (folder / "api-key").read_text().strip()


async def test_both_servers_let_in_who_has_the_first_key() -> None:
    port = free_port()
    with LiveServer(page=False, stream_port=port) as server:
        key = key_of(server.data_dir)
        for url in (f"ws://127.0.0.1:{port}", f"{server.ws_url}/openalgo"):
            async with live(url) as socket:
                refused = await ask(socket, {"action": "authenticate", "api_key": "wrong"})
                assert refused["code"] == "AUTHENTICATION_ERROR"
                asked = await ask(socket, {"action": "authenticate", "api_key": key})
                assert asked["status"] == "success"
                for mode in (1, 2, 3):
                    await ask(socket, {"action": "subscribe", "mode": mode, **BTC})
                assert (await data(socket, 3))["symbol"] == "BTC/USD"
                assert (await data(socket, 2))["symbol"] == "BTC/USD"
                assert (await ask(socket, b"\xff"))["code"] == "INVALID_JSON"
        async with live(f"ws://127.0.0.1:{port}/ws") as socket:
            assert (await receive(socket))["id"]
            figures = metrics(server)
        assert figures["livetape_stream_clients"] == 1
        assert (
            figures["livetape_stream_deliveries_total"]
            > figures["livetape_stream_writes_total"]
            > 0
        )
        assert figures["livetape_stream_evicted_total"] == 0
        client = api(api_key=key, host="http://127.0.0.1:1", ws_port=port)
        assert await asyncio.to_thread(client.connect)
        await asyncio.to_thread(client.disconnect)

        async with live(f"{server.ws_url}/openalgo") as socket:
            await ask(socket, {"action": "authenticate", "api_key": key})
            await socket.send("x" * (1024 * 1024 + 1))
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await socket.wait_closed()
            assert socket.close_code == 1009

        async with connect(f"{server.ws_url}/openalgo") as one, connect(url) as two:
            await asyncio.to_thread(server.stop)
            assert (one.close_code, two.close_code) == (1001, 1001)


async def test_alone_it_serves_and_says_goodbye(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "DASHBOARD_STREAM_PORT": str(port),
        "DASHBOARD_DATA_DIR": str(tmp_path),
    }

    async def start() -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "dashboard.streaming.server"),
            cwd=ROOT,
            env=environment,
            stderr=PIPE,
        )

    process = await start()
    try:
        socket = await _connected(f"ws://127.0.0.1:{port}")
        asked = await ask(socket, {"action": "auth", "api_key": key_of(tmp_path)})
        assert asked["status"] == "success"
        second = await start()
        _, errors = await second.communicate()
        assert second.returncode == 1
        (line,) = errors.decode().splitlines()
        taken = f"livetape: DASHBOARD_STREAM_PORT={port} is not allowed; allowed: a free port"
        assert line.startswith(taken)
        process.terminate()
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await socket.wait_closed()
            assert socket.close_code == 1001
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _connected(url: str) -> ClientConnection:
    async with asyncio.timeout(30):
        while True:
            try:
                return await connect(url)
            except OSError:
                await asyncio.sleep(0.1)
