"""What a long list of instruments costs: a hundred listed beside a hundred thousand.

The simulated market moves as ever; the others are listed, and nobody asks for them.
"""

import argparse
import asyncio

from tests.benchmarks import bench_ws_clients
from tests.benchmarks.pages import measure, open_browser, open_tabs
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

FREQUENCY_MS = 50


async def main() -> None:
    """Measure a page and the clients of `/ws` with each list, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", default="100,100000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=100)
    asked = parser.parse_args()
    counts = list(map(int, asked.listed.split(",")))
    await measure_pages(counts, asked.rounds)
    await measure_clients(counts, asked.rounds, asked.clients)


async def measure_pages(counts: list[int], rounds: int) -> None:
    """Measure one open page."""
    table = Table("listed_page")
    async with open_browser() as browser:
        for count in rounds * counts:
            with LiveServer(simulator_listed=count) as server:
                async with open_tabs(browser, server, 1) as tabs:
                    row = await measure("Livetape", server, tabs, frequency_ms=FREQUENCY_MS)
            table.add({"listed": f"{count:,}"} | row)
    table.save()


async def measure_clients(counts: list[int], rounds: int, clients: int) -> None:
    """Measure clients of `/ws`."""
    table = Table("listed_ws_clients")
    for count in rounds * counts:
        with LiveServer(page=False, simulator_listed=count) as server:
            row = await bench_ws_clients.measure(
                server, clients=clients, frequency_ms=FREQUENCY_MS, stalled=False, seconds=8
            )
        table.add({"listed": f"{count:,}"} | row)
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
