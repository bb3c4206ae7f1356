"""The market page under load: 1,000 symbols, a slow network, a core taken away.

The network is slowed down in the browser, on the way of every message; the core
is taken by a process that only computes. The naive page stands beside.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.pages import measure, naive_server, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

SYMBOLS = 1000
INTERVAL_MS = 50
SLOW = {"latency_ms": 100, "bytes_per_s": 100_000}
SECONDS = 10


@contextmanager
def busy_core() -> Iterator[None]:
    """Compute without a pause beside the block."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


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

        with LiveServer(simulator_symbols=SYMBOLS) as server:
            await row(f"Livetape, {SYMBOLS:,} symbols", server)
        for name, product in (("Livetape", LiveServer()), ("naive", naive_server())):
            with product as server:
                await row(f"{name}, slow network", server, slow=True)
                with busy_core():
                    await row(f"{name}, busy core", server)
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
