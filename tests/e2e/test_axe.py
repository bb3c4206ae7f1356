"""axe-core finds nothing on any page; those with clients of an exchange are in `on_redis`."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.axe import violations, violations_everywhere
from tests.e2e.conftest import OpenPage
from tests.live_server import LiveServer

TRADES = '[data-testid="trade-row"]'
TABLES = "() => { for (const each of document.querySelectorAll('details')) each.open = true; }"


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/", TRADES),
        ("/instruments", '[data-testid="instrument-tile"]'),
        ("/instruments/CRYPTO:ETH/USD", TRADES),
        ("/instruments/NSE_INDEX:NIFTY_50", '[data-testid="last-price"][data-value]'),
        ("/pnl", '[data-testid="pnl"] .empty'),
    ],
)
def test_a_page_has_no_violation(open_page: OpenPage, path: str, ready: str) -> None:
    page = open_page(path)
    page.locator(ready).first.wait_for()
    page.evaluate(TABLES)
    assert violations_everywhere(page) == ""


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/sign-in", "#key"),
        ("/no-such-page", '[data-testid="no-page"]'),
        ("/instruments/NO:SUCH", '[data-testid="not-found"]'),
    ],
)
def test_a_page_that_leads_nowhere_else_has_none(
    server: LiveServer, browser: Browser, path: str, ready: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url + path)
        page.locator(ready).wait_for()
        assert violations_everywhere(page) == ""


def test_what_opens_over_a_page_has_none(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(TRADES).first.wait_for()
    page.locator("#reset").click()
    page.get_by_role("status").get_by_role("button", name="Undo").wait_for()
    assert violations(page) == ""
    for button in ("Settings", "Edit"):
        page.get_by_role("button", name=button, exact=True).click()
        assert violations(page) == "", button
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#commands li").first.wait_for()
    assert violations(page) == ""
