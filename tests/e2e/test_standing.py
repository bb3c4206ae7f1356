"""What the page says of itself where it does not reach the server."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from tests.e2e.market_page import by_id
from tests.live_server import LiveServer

SOCKET = re.compile("/_event")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def refuse(socket: WebSocketRoute) -> None:
    socket.close()


def keep_silent(_socket: WebSocketRoute) -> None:
    """Open the socket, and let nothing through."""


@pytest.mark.parametrize(
    ("path", "route"), [("/", refuse), ("/instruments/ETH/USD", keep_silent), ("/pnl", refuse)]
)
def test_a_page_that_never_reaches_the_server_says_so_and_what_to_do(
    page: Page, server: LiveServer, path: str, route: Callable[[WebSocketRoute], None]
) -> None:
    page.route_web_socket(SOCKET, route)
    page.goto(server.url + path)
    words = by_id(page, "unreachable")
    words.get_by_text("The server does not answer.").wait_for(timeout=60_000)
    assert "Check that Livetape runs" in words.inner_text()
    assert by_id(page, "connection").get_attribute("data-state") == "reconnecting"
    assert page.locator(".note", has_text="waiting").count() == 0
