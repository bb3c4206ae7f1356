"""The list of instruments and the page of one, in a real browser."""

from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number
from tests.live_server import LiveServer

DETAIL = "window.livetape.store.market.detail"
ALL = 12
"""Instruments of the simulator, those on demand included."""
BUSY_OBSERVER = """
window.IntersectionObserver = class extends IntersectionObserver {
  constructor(seen, options) {
    const outOfSight = ({ target }) => ({ target, isIntersecting: false });
    super((entries) => seen([outOfSight(entries[0]), ...entries]), options);
  }
};
"""
"""What a busy page sees: an older entry comes with the newest one."""
LATE_TIMERS = """
const running = new Map();
const [start, stop] = [window.setInterval, window.clearInterval];
window.setInterval = (run, ...rest) => {
  const id = start(run, ...rest);
  running.set(id, run);
  return id;
};
window.clearInterval = (id) => {
  running.delete(id);
  stop(id);
};
window.overtaken = 0;
new MutationObserver((mutations) => {
  const gone = mutations.flatMap(({ removedNodes }) => [...removedNodes]);
  if (!gone.some((node) => node.querySelector?.("#freq"))) return;
  window.overtaken += 1;
  for (const run of running.values()) run();
}).observe(document, { childList: true, subtree: true });
"""
"""What a busy page does: its timers are due in the moment in which a page's elements go."""
LOSING = """
const Socket = window.WebSocket;
window.toLose = 2;
window.WebSocket = class extends Socket {
  set onmessage(take) {
    super.onmessage = (event) => {
      if (window.toLose > 0 && /slot_\\d_rx_state_":\\{"/.test(event.data)) window.toLose -= 1;
      else take(event);
    };
  }
};
"""
"""What a page does that still loads: the first pushes are gone; so are later ones on demand."""

THOUSAND = """() => {
  const { finder, actions } = window.livetape.store;
  const all = Array.from({ length: 1000 }, (_, at) => [`S${at}`, "X", "U", 0.01, 1, 1]);
  window.asked = [];
  actions.find = (text, first) => {
    window.asked.push([text, first]);
    const found = all.filter(([symbol]) => symbol.toLowerCase().includes(text));
    const rows = found.slice(first, first + 240);
    setTimeout(() => finder.take([text, first, found.length, all.length, rows]));
  };
  finder.begin();
}"""
"""What a server with a thousand instruments would answer."""


def title(page: Page) -> str:
    return page.locator("#page-title").inner_text()


def is_about(page: Page, symbol: str) -> bool:
    shown = title(page) == f"Exchange Dashboard - {symbol}"
    return shown and page.title() == f"{symbol} · Livetape"


def ladder(page: Page) -> list[str]:
    return by_id(page, "ladder-row").all_inner_texts()


def test_tiles_lead_to_the_instruments(open_page: OpenPage) -> None:
    page = open_page("/instruments")
    tiles = by_id(page, "instrument-tile")
    assert eventually(lambda: tiles.count() == ALL)
    assert page.title() == "Instruments · Livetape"
    first = tiles.first.inner_text()
    for words in ("BTC/USD", "CRYPTO", "Tick size", "0.01", "Absolute limit", "Delta limit"):
        assert words in first
    tiles.nth(3).click()
    assert eventually(lambda: is_about(page, "AAPL"))
    assert page.url.endswith("/instruments/NASDAQ:AAPL")


def test_list_is_searched_and_walked_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/instruments")
    tiles = by_id(page, "instrument-tile")
    assert eventually(lambda: tiles.count() == ALL)
    page.keyboard.press("/")
    page.keyboard.type("nasdaq")
    assert eventually(lambda: tiles.count() == 2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "TSLA" in str(page.evaluate("document.activeElement.textContent"))
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "tile-search"
    page.keyboard.type(" nothing like it")
    page.get_by_text("No instrument has").wait_for()
    page.locator("#tile-search").fill("eth")
    page.keyboard.press("Enter")
    assert eventually(lambda: is_about(page, "ETH/USD"))


@pytest.mark.parametrize(
    ("path", "symbol"),
    [("AAPL", "AAPL"), ("BTC/USD", "BTC/USD"), ("CRYPTO:ETH%2FUSD", "ETH/USD")],
)
def test_address_names_the_instrument_and_survives_a_reload(
    open_page: OpenPage, path: str, symbol: str
) -> None:
    page = open_page(f"/instruments/{path}")
    assert eventually(lambda: is_about(page, symbol))
    page.reload()
    assert eventually(lambda: is_about(page, symbol))
    assert page.url.endswith(path)
    assert eventually(lambda: number(page, "last-price") > 0)


def test_unknown_instrument_is_said_to_be_so_and_the_list_is_near(
    server: LiveServer, browser: Browser
) -> None:
    with browser.new_context() as context:  # which logs the page's status as an error
        page = context.new_page()
        page.goto(f"{server.url}/instruments/NO/SUCH")
        by_id(page, "not-found").get_by_text("Instrument 'NO/SUCH' not found").wait_for()
        page.get_by_text("See all instruments").click()
        assert eventually(lambda: by_id(page, "instrument-tile").count() == ALL)


def test_choosing_enables_go_and_go_changes_the_address(open_page: OpenPage) -> None:
    page = open_page("/instruments/AAPL")
    assert eventually(lambda: page.locator("#instrument-select option").count() == ALL + 1)
    first = page.locator("#instrument-select option").first
    assert first.inner_text() == "Choose an instrument…"
    assert page.locator("#go-button").is_disabled()
    page.select_option("#instrument-select", "CRYPTO:ETH/USD")
    page.locator("#go-button").click()
    assert eventually(lambda: is_about(page, "ETH/USD"))
    assert page.url.endswith("/instruments/CRYPTO:ETH/USD")
    assert page.locator("#go-button").is_disabled()
    page.go_back()
    assert eventually(lambda: is_about(page, "AAPL"))


def test_slash_searches_arrows_move_enter_goes(open_page: OpenPage) -> None:
    page = open_page("/instruments/AAPL")
    assert eventually(lambda: page.locator("#instrument-select option").count() == ALL + 1)
    page.keyboard.press("/")
    page.keyboard.type("crypto")
    assert eventually(lambda: page.locator("#instrument-select option").count() == 5)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert eventually(lambda: is_about(page, "ETH/USD"))


def test_palette_and_cards_go_to_an_instrument(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Open the page of SOL/USD").click()
    assert eventually(lambda: is_about(page, "SOL/USD"))
    page.keyboard.press("Control+k")
    page.keyboard.type("instrument tsla")
    page.get_by_role("option", name="Go to instrument TSLA").wait_for()
    page.keyboard.press("Enter")
    assert eventually(lambda: is_about(page, "TSLA"))


def test_leaving_the_market_page_ends_its_timers_at_once(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(LATE_TIMERS)
    page.reload()
    assert eventually(lambda: page.locator("#freq").input_value() != "")
    page.get_by_label("Open the page of SOL/USD").click()
    assert eventually(lambda: is_about(page, "SOL/USD"))
    assert page.evaluate("window.overtaken") == 1, "without loading the page anew"


def test_everything_on_the_page_moves(open_page: OpenPage) -> None:
    page = open_page("/instruments/ETH/USD")
    counters = ("messages-count", "books-count", "trades-count")
    for counter in (*counters, "last-price", "best-bid", "best-ask"):
        assert eventually(lambda c=counter: number(page, c) > 0), counter
    before = [number(page, counter) for counter in counters]
    rows = ladder(page)
    assert eventually(lambda: ladder(page) != rows)
    assert eventually(
        lambda: all(number(page, c) > b for c, b in zip(counters, before, strict=True))
    )
    assert number(page, "best-bid") < number(page, "best-ask")
    assert page.locator('[data-testid="ladder-row"][data-best="bid"]').count() == 1
    assert page.locator('[data-testid="ladder-row"][data-best="ask"]').count() == 1
    assert eventually(lambda: page.locator("#trades-data [data-testid='trade-row']").count() > 3)
    for panel in ("order-book", "bbo-data", "trades-data"):
        assert page.locator(f"#{panel}").is_visible()


def test_ladder_of_close_levels_has_a_row_for_every_tick(open_page: OpenPage) -> None:
    page = open_page("/instruments/ETH/USD")
    prices = "all => all.map(row => Number(row.dataset.price))"
    assert eventually(lambda: by_id(page, "ladder-mode").get_attribute("data-mode") == "ticks")
    rows = by_id(page, "ladder-row").evaluate_all(prices)
    steps = {round(above - below, 6) for above, below in pairwise(rows)}
    assert steps == {0.01}


def test_ladder_of_distant_levels_shows_them_and_says_so(open_page: OpenPage) -> None:
    page = open_page("/instruments/BTC/USD")
    mode = by_id(page, "ladder-mode")
    assert eventually(lambda: mode.get_attribute("data-mode") == "levels")
    assert "levels" in mode.inner_text()


def test_opened_page_has_the_last_minute_at_once(open_page: OpenPage) -> None:
    earlier = open_page("/instruments/ETH/USD")
    assert eventually(lambda: earlier.evaluate(f"{DETAIL}.quotes.length") > 30)
    page = open_page("/instruments/ETH/USD")
    assert eventually(lambda: page.evaluate(f"{DETAIL}.quotes.length") > 30, within_s=2)
    assert page.evaluate(f"{DETAIL}.trades.length") > 0
    times = page.evaluate(f"{DETAIL}.quotes.rows.map(row => row[0])")
    assert times == sorted(times)


def test_page_that_loses_pushes_gets_all_that_was_in_them(open_page: OpenPage) -> None:
    open_page("/instruments/ETH/USD").wait_for_timeout(3000)
    page = open_page("/instruments/ETH/USD", script=LOSING)
    missed = "window.livetape.store.measurements.missed"
    assert page.evaluate("window.toLose") == 0
    assert eventually(lambda: page.locator("#instrument-select option").count() == ALL + 1)
    assert eventually(lambda: page.evaluate(f"{DETAIL}.quotes.length") > 30, within_s=2)
    assert page.evaluate(f"{DETAIL}.trades.length") > 0
    assert page.evaluate(f"{DETAIL}.bars.rows.length") > 2
    assert page.evaluate(missed) == 2
    page.get_by_role("group", name="Length of a candle").get_by_text("1 min").click()
    page.evaluate("window.toLose = 40")  # two seconds
    assert eventually(lambda: page.evaluate("window.toLose") == 0)
    assert eventually(lambda: page.evaluate(missed) == 42)
    starts = f"{DETAIL}.bars.rows.map(row => row[0] % 60)"
    assert eventually(lambda: set(page.evaluate(starts)) == {0}), "bars of a minute all the same"
    assert page.evaluate(f"{DETAIL}.quotes.length") > 30

    def longest_hole_ms() -> float:
        times = page.evaluate(f"{DETAIL}.quotes.rows.map(row => row[0])")
        return max(later - earlier for earlier, later in pairwise(times))

    assert eventually(lambda: longest_hole_ms() < 1500, within_s=10), "no hole is left"


def test_candles_grow_and_change_their_length(open_page: OpenPage) -> None:
    page = open_page("/instruments/BTC/USD")
    bars = f"{DETAIL}.bars.rows.length"
    assert eventually(lambda: page.locator("#candles canvas").count() > 0)
    mark = page.get_by_title("Charting by TradingView").locator("svg").bounding_box()
    assert mark is not None
    assert mark["width"] > mark["height"], "it is shown whole"
    assert eventually(lambda: page.evaluate(bars) > 0)
    count = page.evaluate(bars)
    assert eventually(lambda: page.evaluate(bars) > count)
    assert " · O " in by_id(page, "candles-readout").inner_text()
    page.get_by_role("group", name="Length of a candle").get_by_text("1 min").click()
    starts = f"{DETAIL}.bars.rows.map(row => row[0] % 60)"
    assert eventually(lambda: set(page.evaluate(starts)) == {0})
    assert page.evaluate(f"{DETAIL}.bars.interval") == "1m"


def test_candles_follow_the_newest_bar_until_one_scrolls_away(open_page: OpenPage) -> None:
    page = open_page("/instruments/BTC/USD")
    place, to_now = page.locator(".candle-place"), by_id(page, "candles-now")
    readout = by_id(page, "candles-readout")
    begins = f"{DETAIL}.bars.last?.[0] ?? 0"
    last = f"new Date(1000 * ({begins})).toISOString().slice(11, 19)"
    assert eventually(lambda: page.evaluate(f"{DETAIL}.bars.rows.length") > 3)
    box = place.bounding_box()
    assert box is not None
    right, height = box["x"] + box["width"] - 75, box["y"] + 60

    def newest_is_at_the_right() -> bool:
        for back in range(0, 90, 3):
            page.mouse.move(right - back, height)
            page.wait_for_timeout(30)
            if str(page.evaluate(last)) in readout.inner_text() and back > 12:
                return True
        return False

    def three_more() -> None:
        assert eventually(lambda: page.evaluate(begins) > 0)
        begun = page.evaluate(begins)
        assert eventually(lambda: page.evaluate(begins) >= begun + 3)

    for choose in ("1 min", "1 s"):
        page.get_by_role("group", name="Length of a candle").get_by_text(choose).click()
    three_more()
    page.mouse.move(right - 100, height)
    page.keyboard.down("Control")
    page.mouse.wheel(0, 240)
    page.keyboard.up("Control")
    three_more()
    assert to_now.is_hidden()
    page.mouse.move(right - 400, height)
    page.mouse.down()
    page.mouse.move(right - 50, height, steps=4)
    page.mouse.up()
    to_now.click()
    assert eventually(to_now.is_hidden)
    assert place.evaluate("place => place === document.activeElement")
    three_more()
    assert newest_is_at_the_right()


@pytest.mark.parametrize(("panel", "readout"), [("steps", "bid"), ("depth", "to")])
def test_pointer_over_a_chart_reads_it(open_page: OpenPage, panel: str, readout: str) -> None:
    page = open_page("/instruments/ETH/USD")
    canvas = page.locator(f"#{panel} canvas")
    drawn = """canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.some((value, at) => at % 4 === 3 && value > 0);
    }"""
    assert eventually(lambda: canvas.evaluate(drawn))
    canvas.hover()
    assert eventually(lambda: readout in by_id(page, f"{panel}-readout").inner_text())


def test_charts_have_tables(open_page: OpenPage) -> None:
    page = open_page("/instruments/ETH/USD")
    for words in ("Quotes as a table", "Candles as a table"):
        page.get_by_text(words).click()
        table = page.get_by_role("table", name=words)
        assert eventually(lambda t=table: t.locator("tbody tr").count() > 0)


def test_paused_page_stands_still_and_resumes_without_a_hole(open_page: OpenPage) -> None:
    page = open_page("/instruments/ETH/USD")
    assert eventually(lambda: page.evaluate(f"{DETAIL}.quotes.length") > 5)
    page.locator("#pause").click()
    page.wait_for_timeout(500)
    held = page.evaluate(f"{DETAIL}.quotes.length")
    page.wait_for_timeout(1000)
    assert page.evaluate(f"{DETAIL}.quotes.length") == held
    page.locator("#pause").click()
    assert eventually(lambda: page.evaluate(f"{DETAIL}.quotes.length") > held + 5)
    times = page.evaluate(f"{DETAIL}.quotes.rows.map(row => row[0])")
    assert max(later - earlier for earlier, later in pairwise(times)) < 1000


def test_instrument_whose_feed_sends_prices_alone_shows_them(open_page: OpenPage) -> None:
    page = open_page("/instruments/TSLA")
    assert eventually(lambda: number(page, "messages-count") > 5)
    assert number(page, "books-count") == 0
    page.locator("#order-book").get_by_text("The feed sends no order book of TSLA.").wait_for()
    assert eventually(lambda: page.locator("#steps .chart-box[data-priced]").count() == 1)


def test_instrument_on_demand_begins_when_its_page_is_opened(open_page: OpenPage) -> None:
    page = open_page("/instruments/NFO:NIFTY28DEC2425000CE")
    assert eventually(lambda: is_about(page, "NIFTY28DEC2425000CE"))
    assert eventually(lambda: number(page, "books-count") > 0)
    assert eventually(lambda: page.locator("#trades-data [data-testid='trade-row']").count() > 0)


def test_an_index_waits_for_nothing_that_it_cannot_have(open_page: OpenPage) -> None:
    page = open_page("/instruments/NSE_INDEX:NIFTY_50")
    assert eventually(lambda: number(page, "last-price") > 0)
    assert eventually(lambda: page.locator("#steps .chart-box[data-priced]").count() == 1)
    for panel, words in (
        ("order-book", "An index has no order book."),
        ("trades-data", "An index is not traded."),
        ("candles", "An index is not traded, and candles are made of trades."),
        ("depth", "An index has no order book."),
    ):
        page.locator(f"#{panel}").get_by_text(words).wait_for()
        assert words in page.locator(f"#{panel}").aria_snapshot(), "for screen readers too"


@pytest.mark.parametrize(
    "path", ["/instruments", "/instruments/ETH/USD", "/instruments/NFO:NIFTY28DEC2425000CE"]
)
@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 1920])
def test_layout_holds_at_every_width(open_page: OpenPage, width: int, path: str) -> None:
    page = open_page(path, width=width, height=844 if width < 600 else 900)
    page.wait_for_timeout(1000)
    overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    if width >= 1440:
        below = "() => document.documentElement.scrollHeight - window.innerHeight"
        assert page.evaluate(below) <= 0


def test_a_thousand_instruments_are_asked_for_as_one_scrolls_and_found(open_page: OpenPage) -> None:
    page = open_page("/instruments")
    page.add_init_script(BUSY_OBSERVER)
    page.reload()
    tiles = by_id(page, "instrument-tile")
    assert eventually(lambda: tiles.count() == ALL)
    page.evaluate(THOUSAND)
    page.get_by_text("1000 instruments").wait_for()
    assert tiles.count() == 240

    def scrolled_to_all() -> bool:
        page.evaluate("() => { window.scrollTo(0, document.body.scrollHeight); }")
        return tiles.count() == 1000

    assert eventually(scrolled_to_all)
    assert page.evaluate("asked.map(([, first]) => first)") == [0, 240, 480, 720, 960]
    page.keyboard.press("/")
    page.keyboard.type("s999")
    assert eventually(lambda: tiles.count() == 1)
