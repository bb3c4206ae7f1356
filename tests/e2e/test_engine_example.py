"""The document's example dashboard: one file that uses REST and WebSocket, and nothing else."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.axe import violations_everywhere
from tests.e2e.layout import faults
from tests.e2e.market_page import NOTE_VIOLATIONS, eventually
from tests.live_server import LiveServer

PATH = "/engine-example.html"
WAIT_MS = 30_000
IN_AND_OUT = """
function detect_opportunity() return {signal = "always"} end
function filter_commitment() return {action = "enter_long", quantity = 1} end
function manage_position(market_data, context)
  context.held = (context.held or 0) + 1
  if context.held % 20 == 0 then return {action = "exit"} end
end
"""


@pytest.fixture
def api(server: LiveServer) -> Iterator[httpx.Client]:
    """Give the API, which keeps no runner of the test."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api", timeout=30) as api:
        answer = api.post("/strategies", json={"name": "in_and_out", "code": IN_AND_OUT})
        assert answer.status_code == 201, answer.text
        yield api
        for each in api.get("/runners").json()["runners"]:
            api.delete(f"/runners/{each['runner_id']}")


@pytest.fixture
def page(server: LiveServer, browser: Browser, api: httpx.Client) -> Iterator[Page]:
    """Give the example; the test fails where it logs an error, or does what it may not."""
    problems: list[str] = []
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.add_init_script(NOTE_VIOLATIONS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.url + PATH)
        expect(page.locator("#connection")).to_have_text("connected", timeout=WAIT_MS)
        yield page
        assert page.evaluate("window.violations") == []
    assert problems == []


def create(page: Page, name: str, strategy: str = "in_and_out") -> None:
    page.get_by_label("Name").fill(name)
    page.locator("select[name=strategy_name]").select_option(strategy)
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#chosen-title")).to_contain_text(name, timeout=WAIT_MS)


def test_a_runner_is_made_watched_and_ended(page: Page) -> None:
    create(page, "shown")
    row = page.locator("tr", has=page.get_by_role("button", name="shown"))
    expect(row).to_contain_text("running")
    for state in ("InPosition", "Idle", "Analyzing"):
        expect(page.locator(f'[data-state="{state}"]')).to_have_attribute(
            "aria-current", "step", timeout=WAIT_MS
        )
        assert page.locator("[aria-current]").count() == 1
    assert eventually(lambda: page.evaluate("chart.data.datasets[0].data.length") > 20)
    expect(page.locator("#log")).to_contain_text("ActionExecuted: EnterLong, price ")
    expect(page.locator("#log")).to_contain_text("PositionClosed: Long 1, entered at ")

    page.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("running")
    page.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("stopped")
    expect(page.locator("#log")).to_contain_text("RunnerStopped")

    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Keep").click()
    expect(row).to_contain_text("stopped")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    expect(page.locator("#chosen")).to_be_hidden()


def test_what_is_refused_is_told(page: Page) -> None:
    page.get_by_label("Symbol").fill("NO/SUCH")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#told[data-wrong]")).to_contain_text("NO/SUCH")


def test_it_goes_on_after_the_connection_was_cut(page: Page) -> None:
    create(page, "cut")
    assert eventually(lambda: page.evaluate("closes.length") > 5)
    page.context.set_offline(offline=True)
    page.evaluate("ws.close()")
    expect(page.locator("#connection")).to_have_text("disconnected, trying again")
    page.context.set_offline(offline=False)
    expect(page.locator("#connection")).to_have_text("connected", timeout=WAIT_MS)
    before = page.evaluate("closes.at(-1).x")
    assert eventually(lambda: page.evaluate("closes.at(-1).x") > before)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_and_says_that_it_is_paper(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType] - a literal of Playwright
    create(page, "a_runner_with_quite_a_long_name")
    expect(page.locator('[data-state="InPosition"]')).to_have_attribute(
        "aria-current", "step", timeout=WAIT_MS
    )
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.get_by_text("Paper trading")).to_be_in_viewport()
    assert faults(page) == []
    if width == 1440:
        assert violations_everywhere(page) == ""
