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


def test_page_goes_on_after_the_server_restarts(page: Page, own_server: LiveServer) -> None:
    page.evaluate("() => { window.notReloaded = true; }")
    assert eventually(lambda: number(page, "total-messages") > 50)
    own_server.stop()
    assert eventually(lambda: state(page) == "reconnecting")
    own_server.start()
    assert eventually(lambda: state(page) == "live", within_s=30)
    assert eventually(lambda: messages_in(page, 1.0) > 50)
    assert page.evaluate("() => window.notReloaded") is True


def state(page: Page) -> str | None:
    return by_id(page, "connection").first.get_attribute("data-state")
