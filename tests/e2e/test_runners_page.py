"""The page of the runners, in a real browser on the real engine."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.axe import violations_everywhere
from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually
from tests.live_server import LiveServer


@pytest.fixture(autouse=True)
def cleared(server: LiveServer) -> Iterator[None]:
    """Leave no runner to the tests that share the server."""
    yield
    for each in httpx.get(f"{server.url}/api/runners").json()["runners"]:
        httpx.delete(f"{server.url}/api/runners/{each['runner_id']}").raise_for_status()


def fill_in(page: Page, name: str, *, instrument: str = "CRYPTO:BTC/USD", bar: str = "") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Instrument").fill(instrument)
    page.get_by_label("Strategy").select_option("ema_crossover")
    page.get_by_label("Bar", exact=True).fill(bar)


def row(page: Page, name: str) -> Locator:
    return page.locator(f'[data-testid="runner-row"][data-runner="{name}"]')


def shows(page: Page, name: str, status: str) -> bool:
    return eventually(lambda: row(page, name).get_attribute("data-status") == status)


def ticks(page: Page, name: str) -> int:
    text = row(page, name).locator('[data-label="ticks"]').inner_text()
    return int("".join(filter(str.isdigit, text)))


def test_a_runner_is_started_watched_paused_stopped_and_removed(open_page: OpenPage) -> None:
    page = open_page("/runners")
    page.get_by_text("No runner yet.").wait_for()
    fill_in(page, "mine")
    page.get_by_role("button", name="Start", exact=True).click()
    assert shows(page, "mine", "running")
    assert eventually(lambda: ticks(page, "mine") > 2)
    assert "BTC/USD CRYPTO" in row(page, "mine").inner_text()
    page.get_by_role("button", name="Pause mine").click()
    assert shows(page, "mine", "paused")
    page.get_by_role("button", name="Resume mine").click()
    assert shows(page, "mine", "running")
    page.get_by_role("button", name="Stop mine").click()
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Stop mine").click()
    page.get_by_role("button", name="Stop it and close").click()
    assert shows(page, "mine", "stopped")
    page.get_by_role("button", name="Remove mine").click()
    page.get_by_role("button", name="Stop and remove").click()
    page.get_by_text("No runner yet.").wait_for()


def test_what_cannot_be_is_said_by_the_form_and_the_keyboard_is_enough(
    open_page: OpenPage,
) -> None:
    page = open_page("/runners")
    fill_in(page, "a/b")
    page.get_by_label("Capital").press("Enter")
    problem = page.get_by_role("alert")
    assert eventually(lambda: "runner_id 'a/b' is not allowed" in problem.inner_text())
    fill_in(page, "keys", bar="1s")
    page.get_by_label("Capital").press("Enter")
    assert shows(page, "keys", "running")
    assert problem.inner_text() == ""
    page.get_by_role("button", name="Stop keys").press("Enter")
    page.get_by_role("button", name="Stop it and close").press("Enter")
    assert shows(page, "keys", "stopped")


def test_axe_finds_nothing_and_nothing_is_cut(open_page: OpenPage) -> None:
    page = open_page("/runners")
    page.get_by_text("No runner yet.").wait_for()
    assert violations_everywhere(page) == ""
    for name in ("first", "second"):
        fill_in(page, name)
        page.get_by_role("button", name="Start", exact=True).click()
        assert shows(page, name, "running")
    assert by_id(page, "runner-row").count() == 2
    assert violations_everywhere(page) == ""
    overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
    for width in (320, 390, 641, 1024, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(overflow) <= 0, width
