"""Load every page anew on a slow machine, many times: whatever it is told once has to arrive.

A page that still loads misses what is sent to it, and the slower the machine, the more. So each
page is opened in a fresh profile with the CPU slowed down, and then at full speed beside programs
that keep every core busy. A load is complete when all panels have what they show: the list of
instruments, the last minute and the bars of before it was opened among it.

`make coldloads`, or with fewer loads `--slowed 5 --busy 2`; `--pages /pnl` for one page alone.
Prints a row for each page, and ends with 1 when a load was not complete.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from tests.e2e.conftest import ROOT_FLAGS
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

SLOWDOWN = 4
SLOWED_LOADS = 20
BUSY_LOADS = 10
COMPLETE_WITHIN_S = 30
BEFORE_S = 20
"""The product runs for so long before the first load, so that there is a past to tell of."""
PAST_S = 10
"""A page has the last minute when it has quotes of so long before it was opened."""

COMPLETE = {
    "/": """
        simulated(store).length === 5
        && simulated(store).every(({ id }) => store.market.series.get(id)?.last !== undefined)
        && texts('[data-testid="price"]').filter((text) => /\\d/.test(text)).length === 5
        && store.market.book !== null && store.market.trades.length > 0 && store.system !== null
        && document.querySelectorAll('[data-testid="trade-row"]').length > 0
        && store.feeds.length === 2""",
    "/instruments/": """
        store.finder.answerTo("")?.found > 5
        && document.querySelectorAll('[data-testid="instrument-tile"]').length
           === store.finder.answerTo("").found""",
    "/instruments/CRYPTO:ETH/USD": """
        store.finder.answerTo("")?.found > 5
        && document.querySelectorAll('#instrument-select option').length
           === store.finder.answerTo("").found + 1
        && store.market.detail.quotes.length > 30
        && store.market.detail.quotes.rows[0][0] < openedAt - past
        && store.market.detail.trades.rows?.[0]?.[0] < openedAt
        && store.market.detail.bars.rows.length > past / 1000 && store.market.book !== null
        && document.querySelectorAll('#trades-data [data-testid="trade-row"]').length > 0
        && texts('[data-testid="best-bid"]').every((text) => /\\d/.test(text))""",
    "/pnl": """
        document.querySelectorAll('[data-testid="pnl-row"]').length === 2
        && document.querySelectorAll('[data-testid="position-row"]').length === 2
        && document.querySelectorAll('.pnl-plot .scatterlayer .trace').length === 2""",
}
"""By page, what holds when it has all that it shows."""
IS_COMPLETE = """([openedAt, past]) => {{
    const store = window.livetape?.store;
    const simulated = ({{ watched }}) => watched.filter(({{ exchange }}) => exchange !== "REDIS");
    const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
    return Boolean(store?.connection === "live" && {condition});
}}"""
MISSED = "() => window.livetape.store.measurements.missed"


@contextmanager
def product() -> Iterator[LiveServer]:
    """Run the product on the simulator, and on a Redis for the clients of /pnl."""
    with RedisServer() as redis:
        redis.fill()
        with LiveServer(feed="simulator,redis", redis_url=redis.url) as server:
            with redis.client() as exchange:
                for client in ("Ann", "Bob"):
                    for kind, data in (
                        ("position_update", {"AAPL": 5}),
                        ("pnl_update", {"pnl": 1}),
                    ):
                        now = datetime.now(UTC).isoformat()
                        told = {"type": kind, "client": client, "timestamp": now, "data": data}
                        exchange.publish("market_data", json.dumps(told))
            time.sleep(BEFORE_S)
            yield server


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy, at the priority of everybody else."""
    with ExitStack() as programs:
        for _ in range(os.cpu_count() or 1):
            program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            programs.callback(program.wait)
            programs.callback(program.kill)
        yield


def load(browser: Browser, url: str, path: str, *, slowdown: float) -> tuple[float | None, int]:
    """Load a page in a new profile; give the seconds until it was complete, and missed pushes.

    None stands for a load that was not complete in time.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    if slowdown > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    began, opened_at = time.monotonic(), time.time_ns() / 1e6
    page.goto(url + path, wait_until="commit")
    complete = is_complete(page, path, opened_at)
    taken_s = time.monotonic() - began
    missed = page.evaluate(MISSED) if complete else 0
    context.close()
    return (taken_s if complete else None), missed


def is_complete(page: Page, path: str, opened_at: float) -> bool:
    """Tell whether a page that was opened at this time, in ms, comes to have all that it shows."""
    condition = IS_COMPLETE.format(condition=COMPLETE[path])
    arguments = [opened_at, PAST_S * 1000]
    try:
        page.wait_for_function(condition, arg=arguments, timeout=COMPLETE_WITHIN_S * 1000)
    except TimeoutError:
        return False
    return True


def rounds(browser: Browser, url: str, path: str, *, count: int, slowdown: float) -> bool:
    """Load a page so many times, print how it went, and tell whether each load was complete."""
    loads = [load(browser, url, path, slowdown=slowdown) for _ in range(count)]
    taken = [seconds for seconds, _ in loads if seconds is not None]
    median, longest = (statistics.median(taken), max(taken)) if taken else (0.0, 0.0)
    missed = sum(missed for _, missed in loads)
    print(
        f"  {path:<28} {len(taken):>3} of {count} complete, median {median:.1f} s, "
        f"longest {longest:.1f} s, {missed} pushes missed and made up for",
        flush=True,
    )
    return len(taken) == count


def main() -> int:
    """Run the drill; give the exit code."""
    parser = argparse.ArgumentParser(description="Load every page anew on a slow machine.")
    parser.add_argument("--slowed", type=int, default=SLOWED_LOADS, help="loads at a slowed CPU")
    parser.add_argument("--busy", type=int, default=BUSY_LOADS, help="loads beside busy cores")
    parser.add_argument("--pages", nargs="*", choices=COMPLETE, default=list(COMPLETE))
    chosen = parser.parse_args()
    with product() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("LIVETAPE_CHROMIUM") or None,
            args=ROOT_FLAGS if os.geteuid() == 0 else [],
        )
        print(f"CPU slowed down {SLOWDOWN} times", flush=True)
        complete = [
            rounds(browser, server.url, path, count=chosen.slowed, slowdown=SLOWDOWN)
            for path in chosen.pages
        ]
        print("every core busy", flush=True)
        with busy_cores():
            complete += [
                rounds(browser, server.url, path, count=chosen.busy, slowdown=1)
                for path in chosen.pages
            ]
        browser.close()
    return 0 if all(complete) else 1


if __name__ == "__main__":
    sys.exit(main())
