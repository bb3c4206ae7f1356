"""The market page under load: 1,000 symbols, other programs, a slow network, a core taken away.

The other programs are 200 clients of the stream server in the same process, each with
50 of the 1,000 symbols: 100,000 deliveries/s beside the page. The network is slowed
down in the browser, on the way of every message; the core is taken by a process that
only computes. The naive page stands beside.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from dashboard.storage.api_keys import KEY_FILE
from tests.benchmarks.fanout_client import Greeting, load_client
from tests.benchmarks.pages import measure, naive_server, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer, free_port

SYMBOLS = 1000
INTERVAL_MS = 50
SLOW = {"latency_ms": 100, "bytes_per_s": 100_000}
SECONDS = 10
CLIENTS, HELD = 200, 50


@contextmanager
def busy_core() -> Iterator[None]:
    """Compute without a pause beside the block."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


@contextmanager
def other_programs(server: LiveServer, port: int) -> Iterator[None]:
    """Let clients of the stream server read beside the block, each its own symbols."""
    key = (server.data_dir / KEY_FILE).read_text().strip()
    listed = httpx.get(f"{server.url}/api/instruments").json()
    symbols = [{"exchange": each["exchange"], "symbol": each["name"]} for each in listed]
    chance = random.Random(1)
    greetings = [
        Greeting(
            "/",
            [
                json.dumps({"action": "authenticate", "api_key": key}),
                json.dumps(
                    {"action": "subscribe", "mode": 2, "symbols": chance.sample(symbols, HELD)}
                ),
            ],
        )
        for _ in range(CLIENTS)
    ]
    with (
        load_client() as client,
        client.running(
            port, greetings, symbols=SYMBOLS, replies=2, warmup_s=600, seconds=1
        ) as reports,
    ):
        assert next(reports)["event"] == "ready"
        yield


def deliveries(server: LiveServer) -> float:
    """Give how many frames the stream server has sent so far."""
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "livetape_stream_deliveries_total"
    )


async def main() -> None:
    """Measure each load with one tab."""
    table = Table("page_load")
    async with open_browser() as browser:

        async def row(name: str, server: LiveServer, *, slow: bool = False) -> None:
            async with open_tabs(browser, server, 1) as tabs:
                if slow:
                    await tabs[0].throttle(**SLOW)
                measured = await measure(
                    name, server, tabs, frequency_ms=INTERVAL_MS, seconds=SECONDS
                )
            table.add(measured)

        port = free_port()
        with LiveServer(simulator_symbols=SYMBOLS, stream_port=port) as server:
            await row(f"Livetape, {SYMBOLS:,} symbols", server)
            with other_programs(server, port):
                before, began = deliveries(server), time.monotonic()
                await row(f"Livetape, {CLIENTS} other programs too", server)
                rate = (deliveries(server) - before) / (time.monotonic() - began)
            print(f"deliveries/s to the other programs: {rate:,.0f}")
        for name, product in (("Livetape", LiveServer()), ("naive", naive_server())):
            with product as server:
                await row(f"{name}, slow network", server, slow=True)
                with busy_core():
                    await row(f"{name}, busy core", server)
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
