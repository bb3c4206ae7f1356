"""Pages in a real browser, measured from outside: the product's and the naive one alike.

The probe sees each push when its WebSocket message arrives, and again when the
frame that shows it has been rendered; it counts frames itself. So one rule
measures both pages.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.client import connect

from tests.benchmarks.cpu import busy_s
from tests.e2e.conftest import ROOT_FLAGS
from tests.live_server import ROOT, LiveServer

SETTLE_S = 5
SECONDS = 6

PROBE = """
(() => {
    const unaligned = %(unaligned)s;
    const arrived = [];
    const probe = (window.probe = { frames: [], newest: [], pushes: 0 });
    probe.reset = () => { probe.frames = []; probe.newest = []; probe.pushes = 0; };
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({ data }) => {
                const found = /"(?:n|number_rx_state_)":\\s?(\\d+)/.exec(data);
                if (!found) return;
                arrived.push([Number(found[1]), performance.now()]);
                probe.pushes += 1;
            });
        }
        send(data) {
            if (unaligned && String(data).includes("live_state.report")) return;
            super.send(data);
        }
    };
    const shown = () =>
        window.livetape
            ? window.livetape.store.arrivals.number
            : Number(document.getElementById("number")?.textContent ?? 0);
    const channel = new MessageChannel();
    let visible = 0;
    channel.port1.onmessage = () => {
        const painted = performance.now();
        let newest = 0;
        while (arrived.length && arrived[0][0] <= visible) newest = arrived.shift()[1];
        if (newest) probe.newest.push(painted - newest);
    };
    const frame = (start) => {
        requestAnimationFrame(frame);
        probe.frames.push(start);
        visible = shown();
        channel.port2.postMessage(0);
    };
    requestAnimationFrame(frame);
})();
"""

READ = """() => {
    const { frames, newest, pushes } = window.probe;
    const seconds = new Map();
    for (const start of frames) {
        const second = Math.floor(start / 1000);
        seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    const whole = [...seconds.values()].slice(1, -1);
    const sorted = [...newest].sort((a, b) => a - b);
    const at = (share) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
    const store = window.livetape?.store;
    return {
        fps: ((frames.length - 1) * 1000) / (frames.at(-1) - frames[0]),
        lowest: Math.min(...whole),
        p50: at(0.5),
        p95: at(0.95),
        pushes,
        own: store ? store.measurements.latencies.newest?.p95 ?? 0 : null,
        missed: store ? store.measurements.missed : 0,
        messages: store ? store.measurements.total : 0,
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
    async def open(cls, browser: Browser, url: str, *, aligned: bool = True) -> "Tab":
        """Open a page in a window of its own and wait for its stream.

        `aligned` False keeps the page's reports of its frames from the server.
        """
        context = await browser.new_context()  # a window: tabs behind another do not paint
        await context.add_init_script(PROBE % {"unaligned": "false" if aligned else "true"})
        tab = cls(await context.new_page())
        await tab.page.goto(url)
        await tab.page.wait_for_function("() => window.probe.newest.length > 0")
        return tab

    async def throttle(self, *, latency_ms: float, bytes_per_s: float) -> None:
        """Put the page behind a slow network, as the browser's own tools do."""
        inspector = await self.page.context.new_cdp_session(self.page)
        await inspector.send("Network.enable")
        await inspector.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": latency_ms,
                "downloadThroughput": bytes_per_s,
                "uploadThroughput": bytes_per_s,
            },
        )

    async def slow(self, times: float) -> None:
        """Give the page so much less of the CPU, as the browser's own tools do."""
        inspector = await self.page.context.new_cdp_session(self.page)
        await inspector.send("Emulation.setCPUThrottlingRate", {"rate": times})

    async def close(self) -> None:
        """Close the page and its window."""
        await self.page.context.close()


@asynccontextmanager
async def open_browser() -> AsyncGenerator[Browser]:
    """Give a browser: the one that LIVETAPE_CHROMIUM names, else Playwright's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("LIVETAPE_CHROMIUM") or None,
            args=ROOT_FLAGS if os.geteuid() == 0 else [],
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def open_tabs(
    browser: Browser, server: LiveServer, count: int, *, aligned: bool = True, slowed: float = 1
) -> AsyncGenerator[list[Tab]]:
    """Give that many open pages of a server, with the CPU `slowed` so many times."""
    tabs = [await Tab.open(browser, server.url, aligned=aligned) for _ in range(count)]
    for tab in tabs:
        await tab.slow(slowed)
    yield tabs
    for tab in tabs:
        await tab.close()


def naive_server() -> LiveServer:
    """Give the server of the naive page, in a folder of its own, with the product's packages."""
    folder = ROOT / ".data" / "benchmarks" / "naive_page"
    shutil.copytree(Path(__file__).parent / "naive_page", folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "reflex.lock", folder / "reflex.lock", dirs_exist_ok=True)
    for name in (".npmrc", "bunfig.toml"):
        shutil.copy(ROOT / name, folder)
    return LiveServer(app=folder)


async def measure(
    name: str, server: LiveServer, tabs: list[Tab], *, frequency_ms: int, seconds: float = SECONDS
) -> dict[str, object]:
    """Measure one frequency with the open tabs; the worst of them counts."""
    # With a bound, events that nobody reads would delay the end of the connection by 10 s.
    async with connect(server.ws_url, max_queue=None) as socket:
        await socket.send(json.dumps({"frequency_ms": frequency_ms}))
        await asyncio.sleep(0.2)
    await asyncio.sleep(SETTLE_S)
    for tab in tabs:
        await tab.page.evaluate("() => { window.probe.reset(); window.livetape?.store.reset(); }")
        tab.bytes = 0
    worker = server.worker()
    spent_s, began = busy_s(worker), time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - began
    cpu = (busy_s(worker) - spent_s) / elapsed
    received = tabs[0].bytes
    read: list[dict[str, Any]] = [await tab.page.evaluate(READ) for tab in tabs]
    return {
        "page": name,
        "tabs": len(tabs),
        "interval ms": frequency_ms,
        "FPS": round(min(each["fps"] for each in read), 1),
        "lowest second": min(each["lowest"] for each in read),
        "newest p50 ms": round(max(each["p50"] for each in read), 1),
        "newest p95 ms": round(max(each["p95"] for each in read), 1),
        "own p95 ms": "" if read[0]["own"] is None else round(max(each["own"] for each in read), 1),
        "pushes/s": round(read[0]["pushes"] / elapsed, 1),
        "bytes/push": round(received / max(1, read[0]["pushes"])),
        "events/s": round(read[0]["messages"] / elapsed) or "",
        "missed": sum(each["missed"] for each in read),
        "server CPU": f"{cpu:.0%}",
    }
