"""The live page in a real browser: frames, latency, bytes and the server's CPU.

For one and for four tabs at several frequencies: the render rate (the mean of
the worst tab, and the lowest second of any), the time from receipt to paint (of
the newest message of each frame, and of all messages; the worst tab counts), and
what a push costs.
"""

import argparse
import asyncio
import json
import os
import time
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.client import connect

from tests.benchmarks.bench_ws_clients import busy_s
from tests.benchmarks.report import Table
from tests.e2e.conftest import ROOT_FLAGS
from tests.live_server import LiveServer

SETTLE_S = 6

READ = """() => {
    const { store, summary } = window.livetape;
    const fps = Array.from({ length: store.fps.length }, (_, at) => store.fps.at(at));
    return {
        total: store.total,
        pushes: store.number,
        missed: store.missed,
        fps: fps.reduce((sum, each) => sum + each, 0) / fps.length,
        lowest: Math.min(...fps.slice(1)),
        newest: summary(store.latency),
        all: summary(store.latencyAll),
        path: summary(store.hops.sentToReceived),
    };
}"""


class Tab:
    """One open page, with a count of the bytes that reach it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bytes = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, frame: str | bytes) -> None:
        self.bytes += len(frame)

    @classmethod
    async def open(cls, browser: Browser, url: str) -> "Tab":
        """Open the market page in a profile of its own and wait for its stream."""
        context = await browser.new_context()  # a window: tabs behind another do not paint
        tab = cls(await context.new_page())
        await tab.page.goto(url)
        await tab.page.locator('[data-testid="connection"][data-state="live"]').wait_for()
        return tab


async def measure(
    server: LiveServer, tabs: list[Tab], *, frequency_ms: int, seconds: float
) -> dict[str, object]:
    """Measure one frequency with the open tabs and give its row."""
    async with connect(server.ws_url) as socket:
        await socket.send(json.dumps({"frequency_ms": frequency_ms}))
        await asyncio.sleep(0.2)
    await asyncio.sleep(SETTLE_S)
    for tab in tabs:
        await tab.page.evaluate("() => window.livetape.store.reset()")
        tab.bytes = 0
    pushes = (await tabs[0].page.evaluate(READ))["pushes"]
    worker = server.worker()
    spent_s, began = busy_s(worker), time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - began
    cpu = (busy_s(worker) - spent_s) / elapsed
    received = tabs[0].bytes
    read: list[dict[str, Any]] = [await tab.page.evaluate(READ) for tab in tabs]
    pushes = read[0]["pushes"] - pushes
    return {
        "tabs": len(tabs),
        "frequency ms": frequency_ms,
        "messages/s": round(read[0]["total"] / elapsed),
        "FPS": round(min(each["fps"] for each in read), 1),
        "lowest second": round(min(each["lowest"] for each in read), 1),
        "newest p50 ms": round(max(each["newest"]["p50"] for each in read), 1),
        "newest p95 ms": round(max(each["newest"]["p95"] for each in read), 1),
        "all p95 ms": round(max(each["all"]["p95"] for each in read), 1),
        "sent-received p95 ms": round(max(each["path"]["p95"] for each in read), 1),
        "pushes/s": round(pushes / elapsed, 1),
        "bytes/push": round(received / pushes),
        "missed": sum(each["missed"] for each in read),
        "server CPU": f"{cpu:.0%}",
        "server RSS MB": worker.memory_info().rss >> 20,
    }


async def main() -> None:
    """Measure each number of tabs at each frequency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", default="1,4")
    parser.add_argument("--frequencies", default="10,16,33,50")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--symbols", type=int, help="DASHBOARD_SIMULATOR_SYMBOLS, for load")
    asked = parser.parse_args()
    load = {"simulator_symbols": asked.symbols} if asked.symbols else {}
    table = Table("page" if not load else f"page_{asked.symbols}_symbols")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("LIVETAPE_CHROMIUM") or None,
            args=ROOT_FLAGS if os.geteuid() == 0 else [],
        )
        with LiveServer(**load) as server:
            tabs: list[Tab] = []
            for count in map(int, asked.tabs.split(",")):
                while len(tabs) < count:
                    tabs.append(await Tab.open(browser, server.url))
                for frequency_ms in map(int, asked.frequencies.split(",")):
                    row = await measure(
                        server, tabs, frequency_ms=frequency_ms, seconds=asked.seconds
                    )
                    table.add(row)
        await browser.close()
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
