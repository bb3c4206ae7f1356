"""The real product and a real browser, once for all browser tests."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.live_server import LiveServer

ROOT_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """Give the running product at its default settings."""
    with LiveServer() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a browser: the one that LIVETAPE_CHROMIUM names, else Playwright's own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=os.environ.get("LIVETAPE_CHROMIUM") or None,
            args=ROOT_FLAGS if os.geteuid() == 0 else [],
        )
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser, server: LiveServer) -> Iterator[OpenPage]:
    """Give a function that opens a page, by default the market's, in a browser profile of its own.

    `script` runs before any of the page's own. The test fails when a page of it has
    logged an error or thrown one.
    """
    contexts = []
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            problems.append(f"{message.type}: {message.text}")

    def opened(
        path: str = "/",
        *,
        width: int = 1440,
        height: int = 900,
        scheme: str = "dark",
        script: str = "",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # pyright: ignore[reportArgumentType] - a literal of Playwright
        )
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.url + path)
        page.locator('[data-testid="connection"][data-state="live"]').wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
