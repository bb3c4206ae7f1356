"""The market page beside the naive page, and without phase alignment.

*newest* is the time from the arrival of a push in the browser to the end of the
frame that shows it, for the newest push of each frame; *own p95* is what the page
says of itself. Without alignment the phase of a stream is a matter of luck; the
worst of the tabs counts. The pages are measured in turn, as the machine has better
and worse moments: `--rounds` so many times, with the browser's CPU `--throttle`d
to a part.
"""

import argparse
import asyncio
from itertools import product

from playwright.async_api import Browser

from tests.benchmarks.pages import measure, naive_server, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

UNALIGNED_MS = (16, 33)


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them."""
    return list(map(int, text.split(",")))


async def main() -> None:
    """Measure each page with each number of tabs at each interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=numbers, default=[1, 4])
    parser.add_argument("--intervals", type=numbers, default=[10, 16, 33, 100])
    parser.add_argument("--throttle", type=numbers, default=[1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--pages", default="Livetape,not aligned,naive")
    asked = parser.parse_args()
    table = Table("page")
    async with open_browser() as browser:
        with LiveServer() as server, naive_server() as naive:
            servers = {"Livetape": server, "not aligned": server, "naive": naive}
            for _ in range(asked.rounds):
                for slowed, count, name in product(
                    asked.throttle, asked.tabs, asked.pages.split(",")
                ):
                    intervals = UNALIGNED_MS if name == "not aligned" else asked.intervals
                    await measure_page(
                        table, browser, servers[name], name, count, intervals, slowed=slowed
                    )
    table.save()


async def measure_page(
    table: Table,
    browser: Browser,
    server: LiveServer,
    name: str,
    count: int,
    intervals: list[int] | tuple[int, ...],
    *,
    slowed: int,
) -> None:
    """Measure so many tabs of one page."""
    aligned = name != "not aligned"
    async with open_tabs(browser, server, count, aligned=aligned, slowed=slowed) as tabs:
        for each in intervals:
            row = await measure(name, server, tabs, frequency_ms=each)
            table.add({"throttle": f"{slowed}x", **row})


if __name__ == "__main__":
    asyncio.run(main())
