"""The market page beside the naive page, and without phase alignment.

*newest* is the time from the arrival of a push in the browser to the end of the
frame that shows it, for the newest push of each frame. Without alignment the
phase of a stream is a matter of luck; the worst of the tabs counts.
"""

import argparse
import asyncio

from tests.benchmarks.pages import measure, naive_server, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

UNALIGNED_MS = (16, 33)


async def main() -> None:
    """Measure each page with each number of tabs at each interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", default="1,4")
    parser.add_argument("--intervals", default="10,16,33,100")
    asked = parser.parse_args()
    counts = list(map(int, asked.tabs.split(",")))
    intervals = list(map(int, asked.intervals.split(",")))
    table = Table("page")
    async with open_browser() as browser:
        with LiveServer() as server:
            for count in counts:
                async with open_tabs(browser, server, count) as tabs:
                    for each in intervals:
                        table.add(await measure("Livetape", server, tabs, frequency_ms=each))
            for count in counts:
                async with open_tabs(browser, server, count, aligned=False) as tabs:
                    for each in UNALIGNED_MS:
                        table.add(await measure("not aligned", server, tabs, frequency_ms=each))
        with naive_server() as server:
            for count in counts:
                async with open_tabs(browser, server, count) as tabs:
                    for each in intervals:
                        table.add(await measure("naive", server, tabs, frequency_ms=each))
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
