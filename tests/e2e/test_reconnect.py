"""The page and a server that goes away and comes back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.market_page import by_id, eventually, messages_in, number
from tests.live_server import LiveServer


@pytest.fixture
def own_server() -> Iterator[LiveServer]:
    with LiveServer() as running:
        yield running


@pytest.fixture
def page(browser: Browser, own_server: LiveServer) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(own_server.url)
    by_id(opened, "connection").and_(opened.locator('[data-state="live"]')).wait_for()
    yield opened
    context.close()


def test_pages_go_on_after_the_server_restarts(page: Page, own_server: LiveServer) -> None:
    instrument = page.context.new_page()
    instrument.goto(f"{own_server.url}/instruments/ETH/USD")
    pages = (page, instrument)
    for each in pages:
        each.evaluate("() => { window.notReloaded = true; }")
    assert eventually(lambda: number(page, "total-messages") > 50)
    instrument.get_by_role("group", name="Length of a candle").get_by_text("1 min").click()
    assert eventually(lambda: number(instrument, "messages-count") > 50)
    own_server.stop()
    for each in pages:
        assert eventually(lambda p=each: state(p) == "reconnecting")
        note = each.locator(".note").first.inner_text()
        assert note.startswith("no answer since ")
    feed = page.locator(".feeds dd")
    assert eventually(lambda: feed.first.inner_text() == "unknown"), "not live"
    assert feed.nth(1).inner_text().startswith("at "), "not some ms ago"
    assert eventually(lambda: page.get_by_text("Off until the server answers.").first.is_visible())
    assert instrument.locator("#candles").get_by_text("1 min").is_disabled()
    for control in ("#freq", "#control button:text-is('10')", "#watchlist button", "button.card"):
        assert page.locator(control).first.is_disabled(), control
    assert page.locator("#pause").is_enabled(), "the page's own"
    page.keyboard.press("Control+k")
    page.keyboard.type("20")
    page.get_by_text("Commands that need the server are left out until it answers.").wait_for()
    assert not page.get_by_text("Update interval 20 ms").is_visible()
    page.keyboard.press("Escape")
    page.evaluate("() => window.livetape.store.actions.frequency(20)")
    counted = number(instrument, "messages-count")
    own_server.start()
    for each in pages:
        assert eventually(lambda p=each: state(p) == "live", within_s=30)
    assert eventually(lambda: messages_in(page, 1.0) > 50)
    assert page.input_value("#freq") == "50", "what was asked for while the server was away"
    assert page.locator("#freq").is_enabled()
    assert eventually(lambda: number(instrument, "messages-count") > counted + 50)
    assert instrument.locator("#page-title").inner_text() == "Exchange Dashboard - ETH/USD"
    starts = "window.livetape.store.market.detail.bars.rows.map(row => row[0] % 60)"
    assert eventually(lambda: set(instrument.evaluate(starts)) == {0}), "still minutes"
    for each in pages:
        assert each.evaluate("() => window.notReloaded") is True


def state(page: Page) -> str | None:
    return by_id(page, "connection").first.get_attribute("data-state")
