"""The market page on a recording of real traffic, and the controls of the replay."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, messages_in, number
from tests.live_server import LiveServer
from tests.recordings import COINBASE, needs_recordings

pytestmark = needs_recordings


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """Give the product on the recording of Coinbase, in place of the simulator."""
    with LiveServer(feed="replay", replay_file=COINBASE) as running:
        yield running


@pytest.fixture
def page(open_page: OpenPage) -> Iterator[Page]:
    """Give a page whose replay plays at its own speed, and leave it so."""
    opened = open_page()
    opened.locator('[data-testid="replay-toggle"]').wait_for()
    yield opened
    play(opened)
    by_id(opened, "replay-speed").select_option("1")
    assert eventually(lambda: told(opened, "speed") == 1)


def told(page: Page, what: str) -> float | bool:
    """Give what the server last told of the replay."""
    return page.evaluate(f"() => window.livetape.store.feeds[0].{what}")


def press(page: Page, *, paused: bool) -> None:
    by_id(page, "replay-toggle").click()
    assert eventually(lambda: told(page, "paused") is paused)


def play(page: Page) -> None:
    if told(page, "paused"):
        press(page, paused=False)


def test_recording_is_shown_whole_and_named(page: Page) -> None:
    assert eventually(lambda: by_id(page, "symbol-card").count() == 10)
    assert by_id(page, "feed-state").inner_text() == "replayed"
    assert eventually(lambda: by_id(page, "trade-row").count() > 0)
    hop = page.locator(".hop .figure").first
    assert eventually(lambda: hop.inner_text() == "\u2014")
    height = page.evaluate("() => document.documentElement.scrollHeight")
    assert height <= 900


def test_nothing_is_cut_off(page: Page) -> None:
    assert eventually(lambda: by_id(page, "trade-row").count() > 5)
    page.wait_for_timeout(1000)
    cut = """() => [...document.querySelectorAll(
        ".trade > span, .level > span, .card-head, .stats b, .change, .row > *")]
        .filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
        .map(each => each.textContent)"""
    assert page.evaluate(cut) == []
    outside = """() => [...document.querySelectorAll(".card")].flatMap(card => {
        const right = card.getBoundingClientRect().right;
        return [...card.querySelectorAll(".price, .change, .stats b")]
            .filter(each => each.getBoundingClientRect().right > right)
            .map(each => `${card.dataset.symbol} ${each.textContent}`);
    })"""
    assert page.evaluate(outside) == []
    page.wait_for_timeout(10_000)  # by now some symbols are quiet and say since when
    covered = """() => [...document.querySelectorAll(".card")].filter(card =>
        card.querySelector(".change").getBoundingClientRect().right >
        card.querySelector(".stats").getBoundingClientRect().left + 1)
        .map(card => card.textContent)"""
    assert page.evaluate(covered) == []


def test_paused_replay_stands_still_in_every_tab(page: Page, open_page: OpenPage) -> None:
    other = open_page()
    press(page, paused=True)
    assert eventually(lambda: told(other, "paused") is True)
    other.wait_for_timeout(500)
    before = told(other, "events"), told(other, "position_s")
    assert messages_in(other, 2.0) <= 3, "only what the server tells of itself"
    assert (told(other, "events"), told(other, "position_s")) == before
    other.locator(".note", has_text="paused").first.wait_for()
    press(page, paused=False)
    assert eventually(lambda: told(other, "position_s") != before[1])
    assert messages_in(other, 2.0) > 20


def test_speed_changes_how_fast_the_position_moves(page: Page) -> None:
    press(page, paused=True)
    by_id(page, "replay-seek").fill("0")
    assert eventually(lambda: told(page, "position_s") == 0)
    by_id(page, "replay-speed").select_option("5")
    assert eventually(lambda: told(page, "speed") == 5)
    press(page, paused=False)
    page.wait_for_timeout(3000)
    assert 8 < float(told(page, "position_s")) < 25


def test_seeking_moves_a_paused_replay_and_says_where_it_is(page: Page) -> None:
    press(page, paused=True)
    slider = by_id(page, "replay-seek")
    half = float(told(page, "duration_s")) // 2
    slider.fill(str(half))
    assert eventually(lambda: abs(float(told(page, "position_s")) - half) <= 1)
    assert eventually(lambda: abs(number(page, "replay-position") - half) <= 1)
    assert " of " in (slider.get_attribute("aria-valuetext") or "")
    slider.press("ArrowRight")
    assert eventually(lambda: float(told(page, "position_s")) > half)


DAY = "2021-04-17"
DETAIL = "window.livetape.store.market.detail"


def test_a_recording_never_looks_as_if_it_happened_now(page: Page) -> None:
    play(page)
    assert by_id(page, "clock").inner_text().startswith(f"{DAY} 16:4")
    assert by_id(page, "replay-recorded").inner_text().startswith(DAY)
    assert by_id(page, "connection").inner_text() == "replayed"
    assert page.locator(".note", has_text="replayed").count() > 0
    dots = """() => [...document.querySelectorAll(".pill")]
        .map(pill => getComputedStyle(pill, "::before").backgroundColor)"""
    warn = page.evaluate("getComputedStyle(document.querySelector('.pill')).borderColor")
    assert set(page.evaluate(dots)) == {warn}
    assert eventually(lambda: by_id(page, "trade-row").count() > 3)
    assert page.locator(".trade.head").get_by_text(DAY).count() == 1
    times = page.locator(".trade:not(.head) .time").all_inner_texts()
    assert all(time.startswith(("16:43:", "16:44:")) for time in times), times


def test_what_a_replay_played_before_a_jump_does_not_go_on_after_it(
    page: Page, open_page: OpenPage
) -> None:
    play(page)
    shown = open_page("/instruments/NMR-EUR")
    assert eventually(lambda: shown.evaluate(f"{DETAIL}.trades.length") > 0)
    for unit in by_id(shown, "time-unit").all():
        assert eventually(lambda u=unit: u.inner_text() == "played")
    by_id(page, "replay-seek").fill("1")
    gaps = f"{DETAIL}.quotes.rows.filter(row => row[1] === null && row[3] === null).length"
    before = shown.evaluate(gaps)
    assert eventually(lambda: shown.evaluate(gaps) > before)
    assert eventually(lambda: shown.locator("[data-testid='trade-row'][data-jumped]").count() > 0)
    assert shown.locator(".fill.head").get_by_text(DAY).count() == 1
    assert eventually(lambda: by_id(shown, "clock").inner_text().startswith(DAY))
