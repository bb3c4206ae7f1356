"""Memory of a page that stays open, and of the server, at the default frequency.

Every minute the page's JavaScript heap after a forced collection, and the
server's resident memory; the last row relates the end to the value at two
minutes, when all windows and the resume ring are full.
"""

import argparse
import asyncio

from tests.benchmarks.pages import Tab, open_browser
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

SETTLED_MINUTE = 2


async def main() -> None:
    """Keep a page open and look every minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    asked = parser.parse_args()
    table = Table("soak")
    heaps: list[float] = []
    sizes: list[float] = []
    async with open_browser() as browser:
        with LiveServer() as server:
            tab = await Tab.open(browser, server.url)
            inspector = await tab.page.context.new_cdp_session(tab.page)
            for minute in range(1, asked.minutes + 1):
                await asyncio.sleep(60)
                await tab.page.evaluate("() => window.probe.reset()")
                for _ in range(2):
                    await inspector.send("HeapProfiler.collectGarbage")
                used = await inspector.send("Runtime.getHeapUsage")
                heaps.append(used["usedSize"] / 2**20)
                sizes.append(server.worker().memory_info().rss / 2**20)
                settled = minute > SETTLED_MINUTE
                table.add(
                    {
                        "minute": minute,
                        "JS heap MB": round(heaps[-1], 2),
                        "server RSS MB": round(sizes[-1], 1),
                        "heap to minute 2": related(heaps) if settled else "",
                        "RSS to minute 2": related(sizes) if settled else "",
                        "messages": await tab.page.evaluate(
                            "() => window.livetape.store.measurements.total"
                        ),
                    }
                )
    table.save()


def related(values: list[float]) -> str:
    """Relate the last value to the one at two minutes."""
    return f"{values[-1] / values[SETTLED_MINUTE - 1] - 1:+.1%}"


if __name__ == "__main__":
    asyncio.run(main())
