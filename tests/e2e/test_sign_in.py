"""The page that asks for a key, in a browser whose every request needs one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.market_page import NOTE_VIOLATIONS, by_id, eventually, price
from tests.live_server import LiveServer, run_keys

WRONG = "lt_" + "x" * 43
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """Give a product that asks everybody for a key, this machine too."""
    with LiveServer(require_key="always") as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page of a browser that knows no key."""
    with browser.new_context() as context:
        yield context.new_page()


def asks(page: Page) -> bool:
    return page.locator("#key").count() == 1


def show(page: Page, key: str) -> None:
    page.fill("#key", key)
    page.get_by_role("button", name="Continue").click()


def shows_moving_prices(page: Page) -> bool:
    page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    before = price(page, "BTC/USD")
    return eventually(lambda: price(page, "BTC/USD") != before)


def test_a_key_is_asked_for_once_and_again_when_it_is_revoked(
    server: LiveServer, page: Page
) -> None:
    key = run_keys(server, "create", "browser")
    page.goto(server.url)
    assert asks(page)
    assert page.get_by_role("alert").count() == 0

    show(page, WRONG)
    assert "This key does not hold" in page.get_by_role("alert").inner_text()
    assert asks(page)

    show(page, key)
    assert page.url == f"{server.url}/"
    assert shows_moving_prices(page)

    page.reload()
    assert not asks(page)
    assert shows_moving_prices(page)

    run_keys(server, "revoke", "browser")
    page.locator("#key").wait_for()  # it goes there by itself


def test_who_has_signed_in_can_sign_out_on_all_pages_of_the_browser(
    server: LiveServer, page: Page
) -> None:
    key = run_keys(server, "create", "leaver")
    page.goto(server.url)
    show(page, key)
    assert shows_moving_prices(page)
    other = page.context.new_page()
    other.goto(f"{server.url}/instruments")
    other.locator('[data-testid="connection"][data-state="live"]').wait_for()
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.locator("#key").wait_for()
    other.locator("#key").wait_for()  # it goes there by itself
    page.goto(server.url)
    assert asks(page)


def test_the_form_has_the_look_of_the_pages_and_needs_no_script(
    server: LiveServer, browser: Browser
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(server.url)
        for landmark, name in (("banner", "Livetape"), ("main", "Sign in")):
            assert name in page.get_by_role(landmark).inner_text()  # pyright: ignore[reportArgumentType] - a role
        show(page, (server.data_dir / "api-key").read_text().strip())
        assert page.url == f"{server.url}/"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('15px Inter'))")
        assert page.evaluate("[...document.fonts].some(({ status }) => status === 'loaded')")


@pytest.mark.parametrize("scopes", [["stream"], ["stream", "control"]])
def test_the_interval_of_all_is_off_with_the_reason_without_control(
    server: LiveServer, page: Page, scopes: list[str]
) -> None:
    name = "-".join(scopes)
    options = [part for scope in scopes for part in ("--scope", scope)]
    page.goto(server.url)
    show(page, run_keys(server, "create", name, *options))
    assert shows_moving_prices(page)
    is_on = "control" in scopes
    for control in page.locator(".frequency").locator("input, button").all():
        assert control.is_enabled() is is_on
        assert ("scope control" in (control.get_attribute("title") or "")) is not is_on
    assert ("scope control" in page.locator("#freq-hint").inner_text()) is not is_on


def test_the_form_does_nothing_that_its_policy_forbids(server: LiveServer, page: Page) -> None:
    page.add_init_script(NOTE_VIOLATIONS)
    answer = page.goto(server.url)
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    show(page, WRONG)
    page.get_by_role("alert").wait_for()
    assert page.evaluate("window.violations") == []


def test_it_leads_back_to_where_one_wanted_to_go(server: LiveServer, page: Page) -> None:
    page.goto(f"{server.url}/pnl")
    show(page, (server.data_dir / "api-key").read_text().strip())
    by_id(page, "pnl").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_form_fits_and_is_ready_for_the_keyboard(
    server: LiveServer, browser: Browser, scheme: str, width: int
) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # pyright: ignore[reportArgumentType] - a literal of Playwright
    ) as context:
        page = context.new_page()
        page.goto(server.url)
        assert page.evaluate("document.activeElement.id") == "key"
        page.keyboard.type(WRONG)
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert page.evaluate(OVERFLOW) <= 0
