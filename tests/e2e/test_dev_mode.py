"""The page as a developer runs it: two ports, reload."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.e2e.market_page import by_id, eventually, messages_in
from tests.live_server import LiveServer

BUILD_TIMEOUT_MS = 60_000


def test_page_is_live_in_development_mode(browser: Browser) -> None:
    with LiveServer(dev=True) as server:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(BUILD_TIMEOUT_MS)
        answer = page.goto(server.url)
        assert answer is not None
        assert "content-security-policy" not in answer.headers
        page.locator('[data-testid="connection"][data-state="live"]').wait_for()
        assert eventually(lambda: by_id(page, "trade-row").count() > 0)
        assert messages_in(page, 1.0) > 50
        page.goto(f"{server.url}/instruments")
        with page.expect_download() as started:
            page.get_by_label("Instruments as CSV").click()
        assert "BTC/USD" in Path(started.value.path()).read_text()
        context.close()
