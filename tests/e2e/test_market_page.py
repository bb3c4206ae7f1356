"""The market page in a real browser."""

import json

import pytest
from playwright.sync_api import Page
from websockets.sync.client import connect

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, messages_in, number, price, symbols
from tests.live_server import LiveServer

SYMBOLS = ["BTC/USD", "ETH/USD", "SOL/USD", "AAPL", "TSLA"]


@pytest.fixture(autouse=True)
def default_frequency(server: LiveServer) -> None:
    set_frequency(server, 50)


def set_frequency(server: LiveServer, frequency_ms: int) -> None:
    with connect(server.ws_url) as socket:
        socket.send(json.dumps({"frequency_ms": frequency_ms}))
        while json.loads(socket.recv(10)) | {"seq": 0, "id": ""} != {
            "type": "control",
            "frequency_ms": frequency_ms,
            "seq": 0,
            "id": "",
        }:
            pass


def test_values_move(open_page: OpenPage) -> None:
    page = open_page()
    assert symbols(page) == SYMBOLS
    for symbol in SYMBOLS:
        first = price(page, symbol)
        assert eventually(lambda s=symbol, f=first: price(page, s) != f), symbol
    assert messages_in(page, 1.0) > 50
    assert eventually(lambda: number(page, "message-rate") > 50)
    assert eventually(lambda: number(page, "fps") > 10)
    assert eventually(lambda: number(page, "latency-p95") > 0)
    assert number(page, "latency-p50") <= number(page, "latency-p95")
    assert number(page, "drops") == 0
    assert by_id(page, "feed-state").first.inner_text().lower().endswith("live")


def test_sparklines_are_drawn(open_page: OpenPage) -> None:
    page = open_page()
    drawn = """canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.some((value, at) => at % 4 === 3 && value > 0);
    }"""
    for card in by_id(page, "symbol-card").all():
        assert eventually(lambda c=card: c.locator("canvas").evaluate(drawn))


def test_cards_out_of_sight_rest_but_go_on(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    card = by_id(page, "symbol-card").last
    count_writes = """async price => {
        let writes = 0;
        const observer = new MutationObserver(changes => { writes += changes.length; });
        observer.observe(price, { characterData: true, childList: true, subtree: true });
        await new Promise(done => setTimeout(done, 4000));
        observer.disconnect();
        return writes;
    }"""

    def shown() -> bool:
        return card.locator("canvas").evaluate("c => getComputedStyle(c).visibility") == "visible"

    assert eventually(shown)
    in_sight = card.locator(".price").evaluate(count_writes)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert eventually(lambda: not shown())
    assert card.locator(".price").evaluate(count_writes) < in_sight / 2
    before = card.locator(".price").inner_text()
    assert eventually(lambda: card.locator(".price").inner_text() != before), "for those who search"
    page.keyboard.press("p")
    page.evaluate(
        "() => { for (const each of window.livetape.store.market.series.values()) each.at = 1; }"
    )
    assert eventually(lambda: card.get_attribute("data-quiet") is not None), "it says so"
    page.evaluate("window.scrollTo(0, 0)")
    assert eventually(shown)


def test_book_and_trades_are_shown(open_page: OpenPage) -> None:
    page = open_page()
    assert eventually(lambda: by_id(page, "trade-row").count() == 20)
    assert by_id(page, "book-bid").count() == 5
    assert by_id(page, "book-ask").count() == 5
    newest = by_id(page, "trade-row").first.inner_text()
    assert eventually(lambda: by_id(page, "trade-row").first.inner_text() != newest)


def test_click_on_a_card_chooses_the_book(open_page: OpenPage) -> None:
    page = open_page()
    assert eventually(lambda: best_bid(page) > 10_000)
    card(page, "ETH/USD").click()
    assert eventually(lambda: 1_000 < best_bid(page) < 10_000)
    card(page, "AAPL").click()
    assert eventually(lambda: by_id(page, "book-bid").first.is_hidden())
    page.get_by_text("The feed sends no order book of AAPL.").wait_for()


def test_frequency_changes_every_tab_and_the_raw_stream(
    open_page: OpenPage, server: LiveServer
) -> None:
    tabs = [open_page(), open_page()]
    with connect(server.ws_url) as socket:
        tabs[0].fill("#freq", "10")
        for tab in tabs:
            assert eventually(lambda t=tab: t.input_value("#freq") == "10", within_s=2)
        tabs[0].wait_for_timeout(1000)
        for tab in tabs:
            assert max(messages_in(tab, 1.0) for _ in range(3)) > 350
        until_control(socket, 10)
        best = max(prices_in(socket, 1.0) for _ in range(3))  # a busy core leaves ticks out
        assert best > 350
        tabs[1].fill("#freq", "500")
        until_control(socket, 500)
        tabs[0].wait_for_timeout(500)
        for tab in tabs:
            assert messages_in(tab, 1.0) < 60
        assert tabs[0].input_value("#freq") == "500"


def test_frequency_out_of_range_is_clamped(open_page: OpenPage) -> None:
    page = open_page()
    page.fill("#freq", "5000")
    page.press("#freq", "Enter")
    assert eventually(lambda: page.input_value("#freq") == "1000")
    page.fill("#freq", "1")
    page.press("#freq", "Tab")
    assert eventually(lambda: page.input_value("#freq") == "10")


def test_typing_a_frequency_digit_by_digit(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#freq").select_text()
    page.locator("#freq").press_sequentially("250", delay=150)
    page.wait_for_timeout(1000)
    assert page.input_value("#freq") == "250"


def test_pause_holds_this_tab_alone_and_resume_goes_on(open_page: OpenPage) -> None:
    page, other = open_page(), open_page()
    page.click("#pause")
    page.wait_for_timeout(500)
    held = price(page, "BTC/USD")
    assert messages_in(page, 1.0) == 0
    assert price(page, "BTC/USD") == held
    assert messages_in(other, 1.0) > 50
    page.click("#pause")
    page.wait_for_timeout(300)
    assert messages_in(page, 1.0) > 50
    assert eventually(lambda: price(page, "BTC/USD") != held)


def test_reset_begins_all_metrics_anew(open_page: OpenPage) -> None:
    page = open_page()
    assert eventually(lambda: number(page, "total-messages") > 300)
    page.click("#reset")
    assert eventually(lambda: number(page, "total-messages") < 150, within_s=1)
    assert messages_in(page, 1.0) > 50


def test_sample_window_bounds_the_series_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page()
    assert page.input_value("#sample") == "200"
    assert page.locator("#sample option").evaluate_all("all => all.map(o => o.value)") == [
        "200",
        "500",
        "1000",
        "2000",
    ]
    page.fill("#freq", "10")
    length = "() => window.livetape.store.market.series.get('CRYPTO:BTC/USD').prices.length"
    assert eventually(lambda: page.evaluate(length) == 200)
    page.wait_for_timeout(500)
    assert page.evaluate(length) == 200
    page.select_option("#sample", "500")
    assert eventually(lambda: page.evaluate(length) == 500)
    page.reload()
    by_id(page, "symbol-card").first.wait_for()
    assert eventually(lambda: page.input_value("#sample") == "500")


def test_two_tabs_count_the_same_stream(open_page: OpenPage) -> None:
    tabs = [open_page(), open_page()]
    total = "window.livetape.store.measurements.total"
    before = [tab.evaluate(total) for tab in tabs]

    def counted() -> list[float]:
        return [tab.evaluate(total) - had for tab, had in zip(tabs, before, strict=True)]

    assert eventually(lambda: min(counted()) > 300)
    assert eventually(lambda: (now := counted())[0] == pytest.approx(now[1], rel=0.15))


@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 2560])
def test_layout_holds_at_every_width(open_page: OpenPage, width: int) -> None:
    page = open_page(width=width, height=844 if width < 600 else 900)
    assert eventually(lambda: by_id(page, "trade-row").count() == 20)
    overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    if width == 1440:
        below = "() => document.documentElement.scrollHeight - window.innerHeight"
        assert page.evaluate(below) <= 0


def card(page: Page, symbol: str):
    return page.locator(f'[data-testid="symbol-card"][data-symbol="{symbol}"]')


def best_bid(page: Page) -> float:
    text = by_id(page, "book-bid").first.locator(".level-price").inner_text()
    digits = "".join(each for each in text if each.isdigit() or each == ".")
    return float(digits or 0)


def until_control(socket, frequency_ms: int) -> None:
    while (message := json.loads(socket.recv(10))).get("frequency_ms") != frequency_ms:
        assert message["type"] != "error"


def prices_in(socket, seconds: float) -> int:
    """Count prices over a span of the events' own time."""
    count, start = 0, None
    while True:
        message = json.loads(socket.recv(10))
        if message["type"] == "price":
            start = start or message["ts"]
            if message["ts"] - start >= seconds * 1e6:
                return count
            count += 1


def test_instruments_on_demand_come_on_the_watchlist_of_who_adds_them(open_page: OpenPage) -> None:
    page, other = open_page(), open_page()
    added = ["RELIANCE", "TCS", "INFY", "NIFTY_50", "NIFTY_BANK", "NIFTY28DEC2425000CE"]
    page.get_by_role("button", name="Edit").click()
    page.locator("#add-symbol").focus()
    for symbol in added:
        page.get_by_role("button", name=f"Add {symbol}").click()
        page.get_by_role("button", name=f"Remove {symbol}").wait_for()
    page.keyboard.press("Escape")
    assert eventually(lambda: symbols(page)[5:] == added)
    assert eventually(lambda: all(price(page, symbol) != "\u2014" for symbol in added))
    assert page.evaluate("() => document.documentElement.scrollHeight") <= 900
    other.reload()
    assert eventually(lambda: by_id(other, "symbol-card").count() == 5)


@pytest.mark.parametrize("path", ["/", "/instruments/ETH/USD"])
def test_canvases_are_sharp_after_the_display_has_changed(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    metrics = {"width": 1440, "height": 900, "mobile": False}
    devtools = page.context.new_cdp_session(page)
    blurred = """ratio => [...document.querySelectorAll("canvas:is([aria-hidden], [role])")]
        .filter(canvas => canvas.clientWidth)
        .filter(canvas => Math.abs(canvas.width - canvas.clientWidth * ratio) > 2).length"""
    for ratio in (1, 2, 1.5, 1):
        devtools.send("Emulation.setDeviceMetricsOverride", metrics | {"deviceScaleFactor": ratio})
        assert page.evaluate("devicePixelRatio") == ratio
        assert eventually(lambda ratio=ratio: page.evaluate(blurred, ratio) == 0)


def test_hidden_page_is_pushed_once_a_second_and_has_all_when_it_is_seen(
    open_page: OpenPage,
) -> None:
    page = open_page()
    assert eventually(lambda: number(page, "latency-p95") > 0)
    read = """() => {
        const { arrivals, receivedAt, measurements, market } = window.livetape.store;
        const { latency, fps, hops } = measurements;
        return {
            pushes: arrivals.number,
            at: receivedAt,
            measured: [latency.length, fps.length, hops.hubToSent.length],
            prices: [...market.series.values()].reduce((sum, { version }) => sum + version, 0),
        };
    }"""
    page.evaluate(
        """() => {
            window.states = [];
            const root = document.documentElement;
            const note = () => window.states.push(root.dataset.connection);
            new MutationObserver(note).observe(root, { attributeFilter: ["data-connection"] });
        }"""
    )
    page.context.new_page().bring_to_front()  # without a display it is not painted, if not hidden
    assert eventually(lambda: page.evaluate("() => window.livetape.store.frames.unseen"))
    page.evaluate("() => { window.livetape.store.reset(); }")
    pushed = page.evaluate(read)["pushes"]
    assert eventually(lambda: page.evaluate(read)["pushes"] >= pushed + 2)
    before = page.evaluate(read)
    assert eventually(lambda: page.evaluate(read)["pushes"] == before["pushes"] + 3)
    hidden = page.evaluate(read)
    assert hidden["at"] - before["at"] > 2800, "ms"
    assert hidden["prices"] - before["prices"] > 200, "at 100 a second"
    assert hidden["measured"] == [0, 0, 0]
    page.bring_to_front()
    assert eventually(lambda: page.evaluate(read)["measured"][0] > 20)
    assert page.evaluate(read)["pushes"] > hidden["pushes"] + 10
    assert page.evaluate("() => window.states") == [], "live all the time"
