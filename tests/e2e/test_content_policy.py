"""What a page may do, as a browser sees it: each page with nothing left out, and foreign pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import NOTE_VIOLATIONS, eventually
from tests.live_server import LiveServer

PATHS = ["/", "/instruments", "/instruments/CRYPTO:BTC%2FUSD", "/instruments/none", "/pnl"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page that notes what its policy does not let it do."""
    with browser.new_context() as context:
        context.add_init_script(NOTE_VIOLATIONS)
        yield context.new_page()


def answers_of(page: Page) -> list[Response]:
    """Collect what the page gets from now on."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    return answers


@pytest.mark.parametrize("path", [*PATHS, "/no-such-page"])
def test_a_page_does_nothing_that_its_policy_forbids(
    server: LiveServer, page: Page, path: str
) -> None:
    answer = page.goto(server.url + path)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if path in PATHS:
        page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.violations") == []
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    assert eventually(lambda: len(page.evaluate("window.violations")) == 1)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_going_from_page_to_page_violates_nothing(open_page: OpenPage, scheme: str) -> None:
    page = open_page(scheme=scheme)
    page.evaluate(NOTE_VIOLATIONS)
    for name in ("Instruments", "PnL", "Market"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    assert page.evaluate("window.violations") == []


def test_files_of_the_build_are_kept_and_pages_are_not(server: LiveServer, page: Page) -> None:
    answers = answers_of(page)
    page.goto(server.url)
    page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    kept = {each.url: each.headers.get("cache-control") for each in answers}
    assert kept[f"{server.url}/"] == "no-cache"
    built = [value for url, value in kept.items() if "/assets/" in url]
    assert len(built) > 5
    assert set(built) == {"public, max-age=31536000, immutable"}


@contextmanager
def foreign_page(content: str) -> Iterator[str]:
    """Serve a page as another site; give its address."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        serving = threading.Thread(target=site.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}/"
        finally:
            site.shutdown()
            serving.join()


def test_a_foreign_page_embeds_nothing_and_links_to_everything(
    server: LiveServer, page: Page
) -> None:
    embeds = f"""
      <a href="{server.url}/api/instruments">link</a>
      <img src="{server.url}/api/export/trades/BTC/USD.csv">
      <script src="{server.url}/api/instruments"></script>
      <iframe src="{server.url}/pnl"></iframe>
      <iframe src="{server.url}/api/export/instruments.csv"></iframe>
    """
    with foreign_page(embeds) as address:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        refused = [
            line for line in server.log.read_text().splitlines() if "may be embedded" in line
        ]
        assert len(refused) == 4
        assert all("may be embedded" in frame.content() for frame in page.frames[1:])
        with page.expect_navigation() as navigation:
            page.get_by_role("link", name="link").click()
    assert navigation.value is not None
    assert navigation.value.status == 200
