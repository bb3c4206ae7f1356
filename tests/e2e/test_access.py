"""What those need who use the keyboard, their fingers, or colours of their own."""

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number
from tests.live_server import LiveServer

WATCHED = "window.livetape.store.market.watched.map(({ id }) => id)"
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
LUMINANCE = """(element) => {
    const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
        const [r, g, b] = color.map((value) => {
            const share = value / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const bar = getComputedStyle(element.querySelector(".bar"));
    const ground = rgb(getComputedStyle(element.closest(".panel")).backgroundColor);
    const alpha = Number(bar.opacity);
    const below = rgb(bar.backgroundColor).slice(0, 3)
        .map((value, at) => alpha * value + (1 - alpha) * ground[at]);
    const above = rgb(getComputedStyle(element.querySelector(".figure")).color).slice(0, 3);
    const [dark, light] = [luminance(below), luminance(above)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
}"""
"""The contrast of a size and the bar behind it."""
TARGETS = "button, select, summary, .card-link, .export, .rail a"
SMALL = """(targets) => [...document.querySelectorAll(targets)]
    .filter((each) => each.checkVisibility() && each.closest("#content, .status-line, .rail"))
    .filter((each) => {
        const { width, height } = each.getBoundingClientRect();
        return width < 24 || height < 30;
    })
    .map((each) => each.outerHTML.slice(0, 80))"""


def held(page: Page) -> float:
    return page.evaluate("window.livetape.store.measurements.total")


def test_a_reset_can_be_undone_and_single_keys_be_turned_off(open_page: OpenPage) -> None:
    page = open_page()
    assert eventually(lambda: number(page, "total-messages") > 300)
    page.keyboard.press("r")
    assert held(page) < 150
    page.get_by_role("button", name="Undo").click()
    assert held(page) > 300
    assert page.get_by_role("button", name="Undo").count() == 0
    assert page.evaluate(FOCUSED) == "pause"

    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_role("group", name="Single keys").get_by_label("Off").check()
    page.keyboard.press("Escape")
    page.reload()
    page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    assert eventually(lambda: held(page) > 100)
    assert page.locator("#pause").get_attribute("aria-keyshortcuts") is None
    page.locator("body").press("r")
    page.locator("body").press("p")
    page.locator("body").press("/")
    assert page.get_by_role("button", name="Undo").count() == 0
    assert page.locator("#pause").get_attribute("aria-pressed") == "false"
    assert page.get_by_role("dialog", name="Commands").count() == 0


def test_the_watchlist_is_edited_without_losing_the_focus(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Edit").click()
    for name, then in (
        ("Move BTC/USD down", "Move BTC/USD down"),
        ("Move SOL/USD up", "Move SOL/USD up"),
        ("Move SOL/USD up", "Move SOL/USD down"),
        ("Remove SOL/USD", "Remove ETH/USD"),
        ("Remove TSLA", "Remove AAPL"),
        ("Add TSLA", "Add SOL/USD"),
    ):
        if name.startswith("Add"):
            page.locator("#add-symbol").focus()
        page.get_by_role("button", name=name, exact=True).focus()
        before = page.evaluate(WATCHED)
        page.keyboard.press("Enter")
        assert eventually(lambda before=before: page.evaluate(WATCHED) != before), name
        if not name.startswith("Add"):
            assert eventually(lambda then=then: page.evaluate(FOCUSED) == then), name
    assert page.evaluate(FOCUSED).startswith("Add "), "the next of those that were found"
    while (count := len(page.evaluate(WATCHED))) > 0:
        page.get_by_role("button", name="Remove").first.focus()
        page.keyboard.press("Enter")
        assert eventually(lambda count=count: len(page.evaluate(WATCHED)) < count)
    assert eventually(lambda: page.evaluate(FOCUSED) == "add-symbol")


def test_the_palette_keeps_what_is_selected_in_sight(open_page: OpenPage) -> None:
    page = open_page(width=720, height=320)
    page.keyboard.press("Control+k")
    page.locator("#commands li").first.wait_for()
    in_sight = """() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const [row, list] = [box('[aria-selected="true"]'), box("#commands")];
        const end = Math.min(list.bottom, innerHeight) + 1;
        return row.top >= list.top - 1 && row.bottom <= end;
    }"""
    for key in ["ArrowDown"] * 11 + ["ArrowDown", "ArrowUp"]:
        page.keyboard.press(key)
        assert eventually(lambda: page.evaluate(in_sight))


def test_charts_are_read_and_moved_by_keys_and_leave_the_wheel_to_the_page(
    open_page: OpenPage,
) -> None:
    page = open_page("/instruments/ETH/USD", height=600)
    assert eventually(lambda: by_id(page, "trade-row").count() > 0)
    for panel, word in (("steps", "bid"), ("depth", "to")):
        page.locator(f"#{panel} canvas").focus()
        page.keyboard.press("ArrowLeft")
        readout = by_id(page, f"{panel}-readout")
        assert eventually(lambda readout=readout, word=word: word in readout.inner_text())
        page.keyboard.press("Escape")
        assert eventually(lambda readout=readout: readout.inner_text() == "")

    candles = page.locator("#candles .candle-place")
    assert eventually(lambda: candles.locator("canvas").count() > 0)
    picture = "canvas => canvas.toDataURL()"
    axis = candles.locator("tr:last-child canvas").first
    candles.focus()
    for key in ("-", "+", "ArrowLeft"):
        before = axis.evaluate(picture)
        page.keyboard.press(key)
        assert eventually(lambda before=before: axis.evaluate(picture) != before), key

    candles.scroll_into_view_if_needed()
    page.evaluate("window.scrollTo(0, 0)")
    candles.hover()
    top = page.evaluate("scrollY")
    page.mouse.wheel(0, 120)
    assert eventually(lambda: page.evaluate("scrollY") > top)
    page.get_by_text("and wheel zoom").wait_for()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_size_can_be_read_on_its_bar_while_paused(open_page: OpenPage, scheme: str) -> None:
    page = open_page(scheme=scheme)
    page.locator(".trade .bar").first.wait_for(state="attached")
    for press in ("resumed", "paused"):
        if press == "paused":
            page.keyboard.press("p")
            page.locator("html[data-paused]").wait_for()
        assert page.locator(".trade .size").first.evaluate(LUMINANCE) >= 4.5, press


@pytest.mark.parametrize("path", ["/", "/instruments", "/instruments/ETH/USD", "/pnl"])
def test_targets_are_large_enough_for_fingers(open_page: OpenPage, path: str) -> None:
    page = open_page(path, width=390, height=844)
    assert page.evaluate(SMALL, TARGETS) == []


def test_forced_colours_leave_shapes_bars_and_states_to_see(open_page: OpenPage) -> None:
    page = open_page()
    page.emulate_media(forced_colors="active")
    assert eventually(lambda: by_id(page, "trade-row").count() == 20)
    canvas, ink = page.evaluate("""() => {
        const probe = document.createElement("i");
        probe.style.cssText = "forced-color-adjust: none; background: Canvas; color: CanvasText";
        document.body.append(probe);
        const { backgroundColor, color } = getComputedStyle(probe);
        return [backgroundColor, color];
    }""")
    assert canvas != ink
    ground = "element => getComputedStyle(element).backgroundColor"
    for mark in (".trade .mark", ".trade .bar", ".level .bar", ".balance i", ".hop i"):
        assert page.locator(mark).first.evaluate(ground) not in {canvas, "rgba(0, 0, 0, 0)"}, mark
    preset = page.locator('.presets [aria-pressed="true"]')
    assert preset.evaluate(ground) != page.locator(".presets button").last.evaluate(ground)
    color = "canvas => canvas.getContext('2d').fillStyle"
    drawn = page.locator(".card canvas").first
    assert eventually(lambda: drawn.evaluate(color).startswith("#"))
    ink_of = "element => getComputedStyle(element).color"
    beneath = page.locator(".card .price").first.evaluate(ink_of)
    assert beneath == "rgba(0, 0, 0, 0)", "the price is drawn once, on the canvas"


def test_an_address_that_leads_nowhere_says_so_in_its_status_too(
    server: LiveServer, browser: Browser
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for path, test_id in (("/no-such-page", "no-page"), ("/instruments/NO:SUCH", "not-found")):
            answer = page.goto(server.url + path)
            assert answer is not None
            assert answer.status == 404
            by_id(page, test_id).wait_for()
            for landmark in ("banner", "navigation", "main"):
                page.get_by_role(landmark).wait_for()  # pyright: ignore[reportArgumentType] - a role
        answer = page.goto(f"{server.url}/instruments/CRYPTO:BTC%2FUSD")
        assert answer is not None
        assert answer.status == 200
