"""What the tests read off the market page."""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page

TIMEOUT_S = 60
NOTE_VIOLATIONS = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
"""A script that keeps in `window.violations` what the page's policy did not let it do."""


def by_id(page: Page, name: str) -> Locator:
    """Give the elements with a data-testid."""
    return page.locator(f'[data-testid="{name}"]')


def number(page: Page, name: str) -> float:
    """Give the plain number that an element shows."""
    value = by_id(page, name).first.get_attribute("data-value")
    return float(value) if value else 0.0


def price(page: Page, symbol: str) -> str:
    """Give the price text of a symbol's card."""
    card = page.locator(f'[data-testid="symbol-card"][data-symbol="{symbol}"]')
    return card.locator('[data-testid="price"]').inner_text()


def eventually(holds: Callable[[], bool], *, within_s: float = TIMEOUT_S) -> bool:
    """Tell whether a condition comes to hold in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def messages_in(page: Page, seconds: float) -> float:
    """Count the messages that the page takes in during some seconds."""
    before = number(page, "total-messages")
    page.wait_for_timeout(seconds * 1000)
    return number(page, "total-messages") - before


def symbols(page: Page) -> list[str | None]:
    """Give the symbols of the cards, in order."""
    return [card.get_attribute("data-symbol") for card in by_id(page, "symbol-card").all()]
