"""The market page beside the trading engine: its frames with 100 runners, and without, in turn.

Each runner gets 100 ticks a second, and a client of its own takes its events; one more client
takes all. The page and the runners have one product, on the simulator at 100 Hz; FPS and p95
are as in `bench_page`, and "tick to client" as in `bench_engine`. At the end a client of the market
resumes after an id of a minute before: "whole", or the reason why not.
"""

import argparse
import asyncio
import json
import time
from multiprocessing import get_context

import httpx
from playwright.async_api import Browser
from websockets.asyncio.client import connect

from tests.benchmarks.bench_engine import QUIET, follow
from tests.benchmarks.pages import Tab, measure, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer, free_port

FREQUENCY_MS = 10
EXCHANGE, SYMBOL = "NASDAQ", "AAPL"
"""It has prices alone, so each of them is a tick."""
CLIENT = ("deliveries/s", "lost", "p50 ms", "p99 ms")
FIRST_FRAMES = 500
"""After so many, the latest values have come, and what has come since."""
RESUMED_S = 55.0
FOLLOWED_S = 14.0


async def main() -> None:
    """Measure in turn, then resume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    port = free_port()
    table = Table("engine and page")
    async with open_browser() as browser:
        with LiveServer(stream_port=port, api_writes_per_s=1000) as server:
            await measure_rounds(table, browser, server, port, asked.runners, asked.rounds)
    table.save()


async def measure_rounds(
    table: Table, browser: Browser, server: LiveServer, port: int, runners: int, rounds: int
) -> None:
    """Measure the page without runners and with them, round by round."""
    async with (
        open_tabs(browser, server, 1) as tabs,
        httpx.AsyncClient(base_url=f"{server.url}/api", timeout=60) as api,
    ):
        (await api.post("/strategies", json={"name": "quiet", "code": QUIET})).raise_for_status()
        for at in range(rounds):
            without = await measure("no runner", server, tabs, frequency_ms=FREQUENCY_MS)
            table.add(without | dict.fromkeys(map("client {}".format, CLIENT), ""))
            names = [f"runner-{at}-{number:03}" for number in range(runners)]
            for name in names:
                asked = {"runner_id": name, "symbol": SYMBOL, "exchange": EXCHANGE}
                answer = await api.post("/runners", json=asked | {"strategy_name": "quiet"})
                answer.raise_for_status()
            table.add(await beside(server, tabs, port, names))
            if at == rounds - 1:
                print("resume:", await resume(server))
            for name in names:
                (await api.delete(f"/runners/{name}")).raise_for_status()


async def beside(
    server: LiveServer, tabs: list[Tab], port: int, names: list[str]
) -> dict[str, object]:
    """Measure the page while clients follow the runners."""
    here, there = get_context("spawn").Pipe()
    url = f"ws://127.0.0.1:{port}/ws/events"
    process = get_context("spawn").Process(target=follow, args=(url, names, FOLLOWED_S, there))
    process.start()
    await asyncio.to_thread(here.recv)
    row = await measure(f"{len(names)} runners", server, tabs, frequency_ms=FREQUENCY_MS)
    seen = await asyncio.to_thread(here.recv)
    process.join()
    return row | {f"client {name}": seen[name] for name in CLIENT}


async def resume(server: LiveServer) -> str:
    """Resume a client of the market after an id of nearly a minute before."""
    async with connect(f"{server.ws_url}?streams=market", max_queue=None) as socket:
        told = [json.loads(await socket.recv()) for _ in range(FIRST_FRAMES)]
    began = time.monotonic()
    await asyncio.sleep(RESUMED_S)
    url = f"{server.ws_url}?streams=market&since={told[-1]['id']}"
    async with connect(url, max_queue=None) as socket:
        for _ in range(20):
            frame = json.loads(await socket.recv())
            if frame["type"] == "reset":
                return frame["reason"]
    return f"whole, after {time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    asyncio.run(main())
