"""Take a picture of every page at every width and in every look, and look for what is cut off.

The widths are those of phones, of tablets and of the steps of our own styles, and windows at 200 %
zoom; the looks are dark, light and forced colours. Each page is shown as it opens, and with all its
tables open. A fault is what the document tells (see `tests.e2e.layout`): text that is cut off, half
rows, a page or a panel that scrolls sideways.

`make screens`, or `--pages market pnl`, `--sizes 390 1440`, `--looks dark`. The pictures lie in
`.data/screens`, named by page, size and look. Prints the faults, and ends with 1 when there is one.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby, product
from typing import NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.conftest import ROOT_FLAGS
from tests.e2e.layout import faults
from tests.live_server import ROOT, LiveServer, environment
from tests.recordings import COINBASE
from tests.redis_server import RedisServer

PICTURES = ROOT / ".data" / "screens"
RATE = 100
FIVE = ["CRYPTO:BTC/USD", "CRYPTO:ETH/USD", "CRYPTO:SOL/USD", "NASDAQ:AAPL", "NASDAQ:TSLA"]
LONG = [*FIVE, "NFO:NIFTY28DEC2425000CE", "NSE_INDEX:NIFTY_50", "NSE:RELIANCE"]


class Shown(NamedTuple):
    """A page as it is shown: its path, what it waits for, what is done on it before the picture."""

    path: str
    ready: str
    then: Callable[[Page], object] = lambda _page: None
    watched: list[str] | None = None
    """Full ids; None for what the feeds deliver to everybody."""


class Size(NamedTuple):
    """A window in CSS pixels; twice as sharp where the page is zoomed to 200 %."""

    width: int
    height: int
    zoom: int = 1


LIVE = '[data-testid="connection"][data-state="live"]'
TRADES = '[data-testid="trade-row"]'
PRICED = '[data-testid="price"][data-value]'
QUOTED = '[data-testid="last-price"][data-value]'
BID = '[data-testid="best-bid"][data-value]'


def with_runners(page: Page) -> None:
    """Start two, where there are none of these names."""
    for name, symbol in (("crossover", "BTCUSDT"), ("a-runner-with-a-rather-long-name", "ETH/USD")):
        page.request.post(
            f"{page.url.partition('/runners')[0]}/api/runners",
            data={"runner_id": name, "symbol": symbol, "strategy_name": "ema_crossover"},
        )
        page.locator(f'[data-runner="{name}"]').wait_for()


def pressed(name: str) -> Callable[[Page], object]:
    """Press a button, for what it opens."""
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


PAGES = {
    "market": Shown("/", TRADES, watched=FIVE),
    "market-long": Shown("/", TRADES, watched=LONG),
    "market-all": Shown("/", TRADES),
    "market-paused": Shown("/", TRADES, lambda page: page.locator("#pause").click(), FIVE),
    "market-reset": Shown("/", TRADES, lambda page: page.locator("#reset").click(), FIVE),
    "market-settings": Shown("/", PRICED, pressed("Settings"), FIVE),
    "market-watchlist": Shown("/", PRICED, pressed("Edit"), LONG),
    "market-palette": Shown("/", PRICED, lambda page: page.keyboard.press("Control+k"), FIVE),
    "instruments": Shown("/instruments", '[data-testid="instrument-tile"]'),
    "book": Shown("/instruments/CRYPTO:BTC/USD", TRADES),
    "price": Shown("/instruments/NASDAQ:AAPL", QUOTED),
    "index": Shown("/instruments/NSE_INDEX:NIFTY_50", QUOTED),
    "option": Shown("/instruments/NFO:NIFTY28DEC2425000CE", TRADES),
    "traders": Shown("/instruments/REDIS:AAPL", TRADES),
    "replayed": Shown("/instruments/COINBASE:YFI-BTC", BID),
    "pnl": Shown("/pnl", '[data-testid="position-row"]'),
    "runners": Shown("/runners", '[data-testid="runners"]', with_runners),
    "sign-in": Shown("/sign-in", "#key"),
    "unknown": Shown("/instruments/NONE:SUCH", '[data-testid="not-found"]'),
    "no-page": Shown("/no-such-page", '[data-testid="no-page"]'),
}
SIZES = {
    "320": Size(320, 640),
    "390": Size(390, 844),
    "641": Size(641, 900),
    "1024": Size(1024, 768),
    "1201": Size(1201, 800),
    "1440": Size(1440, 900),
    "2560": Size(2560, 1440),
    "1440-zoomed": Size(720, 450, zoom=2),
    "1024-zoomed": Size(512, 384, zoom=2),
}
LOOKS = ("dark", "light", "forced")
OPEN_TABLES = "() => { for (const each of document.querySelectorAll('details')) each.open = true; }"
CLOSE_TABLES = OPEN_TABLES.replace("true", "false")
SETTLED = """() => new Promise((done) => {
  const frames = (left) => (left ? requestAnimationFrame(() => frames(left - 1)) : done());
  document.fonts.ready.then(() => setTimeout(() => frames(4), 400));
})"""
"""Fonts are there, and sizes have been measured and drawn anew."""


@contextmanager
def served() -> Iterator[LiveServer]:
    """Run the product on the simulator, on the demonstration exchange and on a recording."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        exchange = subprocess.Popen(
            [sys.executable, "-m", "dashboard.exchange", "--rate", str(RATE)],
            cwd=ROOT,
            env=environment() | {"DASHBOARD_REDIS_URL": redis.url},
            stdout=subprocess.DEVNULL,
        )
        stack.callback(exchange.wait)
        stack.callback(exchange.terminate)
        with redis.client() as client:
            while exchange.poll() is None and not client.exists("static_data:instruments"):
                time.sleep(0.05)
        settings = {"feed": "simulator,redis,replay", "replay_file": COINBASE}
        yield stack.enter_context(LiveServer(redis_url=redis.url, **settings))


def opened(browser: Browser, url: str, shown: Shown, *, zoom: int) -> Page:
    """Open a page in a profile of its own, and wait until it has what it shows."""
    window = ViewportSize(width=1440, height=900)
    context = browser.new_context(viewport=window, device_scale_factor=zoom)
    if shown.watched is not None:
        stored = json.dumps(json.dumps(shown.watched))
        context.add_init_script(f"localStorage.setItem('livetape-watchlist', {stored});")
    page = context.new_page()
    page.goto(url + shown.path)
    page.locator(shown.ready).first.wait_for(state="attached")
    page.wait_for_timeout(2000)  # what is drawn has something to show
    shown.then(page)
    return page


def take(page: Page, name: str, size: str, look: str) -> list[str]:
    """Show a page in a window and a look, take its picture, and give its faults."""
    page.emulate_media(
        color_scheme="light" if look == "light" else "dark",
        forced_colors="active" if look == "forced" else "none",
    )
    page.set_viewport_size(ViewportSize(width=SIZES[size].width, height=SIZES[size].height))
    found = []
    for tables in (CLOSE_TABLES, OPEN_TABLES):
        page.evaluate(tables)
        page.evaluate(SETTLED)
        found += faults(page)
        state = "" if tables == CLOSE_TABLES else "-open"
        if not state or page.locator("details").count():
            page.screenshot(path=PICTURES / f"{name}-{size}-{look}{state}.png", full_page=True)
    return sorted(set(found))


def first_of_each_place(found: list[str]) -> list[str]:
    """Leave out the faults that differ in their text alone: all rows of a list have the same."""
    return list({re.sub("“.*”", "", fault): fault for fault in reversed(found)}.values())


def main() -> int:
    """Run the drill; give the exit code."""
    parser = argparse.ArgumentParser(description="Look at every page at every width.")
    parser.add_argument("--pages", nargs="*", choices=PAGES, default=list(PAGES))
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--looks", nargs="*", choices=LOOKS, default=list(LOOKS))
    parser.add_argument("--url", help="of a product that is running, in place of one of its own")
    chosen = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    count: Counter[str] = Counter()
    with ExitStack() as stack:
        url = chosen.url or stack.enter_context(served()).url
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("LIVETAPE_CHROMIUM") or None,
            args=ROOT_FLAGS if os.geteuid() == 0 else [],
        )
        stack.callback(browser.close)
        for name in chosen.pages:
            for zoom, sizes in groupby(chosen.sizes, lambda size: SIZES[size].zoom):
                page = opened(browser, url, PAGES[name], zoom=zoom)
                for size, look in product(sizes, chosen.looks):
                    for fault in first_of_each_place(take(page, name, size, look)):
                        print(f"  {name} {size} {look}: {fault}", flush=True)
                        count[name] += 1
                page.context.close()
            print(f"{name}: {count[name]} faults", flush=True)
    print(f"{len(chosen.pages)} pages, {count.total()} faults; the pictures are in {PICTURES}")
    return 1 if count.total() else 0


if __name__ == "__main__":
    sys.exit(main())
