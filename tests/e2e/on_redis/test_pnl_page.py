"""The PnL page on an exchange's Redis, with clients whose figures the test sends."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.axe import violations_everywhere
from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

THIN_SPACE = "\u2009"
POSITIONS = {
    "Ann": {"AAPL": 90, "AAPL/DEC": -85},
    "Bob": {"GOOGL": 30},
    "=Cid": {"AAPL": 10, "GOOGL": -33},
}
"""With the limits of `tests.redis_server`: over, over, within, within, near."""
DRAWN = "() => document.querySelectorAll('.pnl-plot .scatterlayer .trace').length"
SPAN_S = """() => {
    const plot = document.querySelector('.js-plotly-plot');
    if (!plot?.layout?.xaxis?.range) return 0;
    const range = plot.layout.xaxis.range;
    return Math.round((new Date(range[1]) - new Date(range[0])) / 1000);
}"""

Send = Callable[..., None]


@pytest.fixture(scope="module")
def send(redis: RedisServer) -> Iterator[Send]:
    """Give a function that publishes what the exchange says of a client."""
    with redis.client() as client:

        def publish(kind: str, name: str, **data: float) -> None:
            now = datetime.now(UTC).isoformat()
            message = {"type": kind, "client": name, "timestamp": now, "data": data}
            client.publish("market_data", json.dumps(message))

        yield publish


@pytest.fixture(scope="module")
def clients(server: LiveServer, send: Send) -> None:
    """Let the exchange tell of its clients once."""
    for name, amounts in POSITIONS.items():
        send("position_update", name, **amounts)
        send("pnl_update", name, pnl=-12.5 if name == "Bob" else 1234.5)


@pytest.fixture
def page(open_page: OpenPage, server: LiveServer, clients: None) -> Page:
    """Give the PnL page when it shows the clients."""
    return pnl_page(open_page(), server)


def pnl_page(page: Page, server: LiveServer) -> Page:
    page.goto(f"{server.url}/pnl")
    assert eventually(lambda: by_id(page, "pnl-row").count() == 3)
    return page


def rows(page: Page) -> list[tuple[str | None, str | None, str | None]]:
    """Give client, instrument and level of the positions, in their order."""
    names = ("data-client", "data-symbol", "data-level")
    found = by_id(page, "position-row").evaluate_all(
        "(rows, names) => rows.map(row => names.map(name => row.getAttribute(name)))", names
    )
    return [tuple(each) for each in found]


def position(page: Page, client: str, symbol: str) -> Locator:
    selector = f'[data-testid="position-row"][data-client="{client}"][data-symbol="{symbol}"]'
    return page.locator(selector)


def pnl_of(page: Page, client: str) -> str:
    row = page.locator(f'[data-testid="pnl-row"][data-client="{client}"]')
    return row.locator(".amount").inner_text()


def test_without_clients_it_says_what_to_do(open_page: OpenPage) -> None:
    """Begin with this one: the others let the exchange speak."""
    page = open_page()
    page.goto(page.url + "pnl")
    page.get_by_text("No feed sends PnL. Run make exchange").wait_for()


def test_pnl_moves_and_is_drawn(page: Page, send: Send) -> None:
    assert page.title() == "PnL · Livetape"
    assert by_id(page, "pnl-clients").inner_text() == "3"
    updates = int(by_id(page, "pnl-updates").inner_text())
    assert pnl_of(page, "Ann") == f"+1{THIN_SPACE}234.50"
    assert pnl_of(page, "Bob") == "\u221212.50"
    assert eventually(lambda: page.evaluate(DRAWN) == 3)
    send("pnl_update", "Bob", pnl=2000)
    assert eventually(lambda: pnl_of(page, "Bob") == f"+2{THIN_SPACE}000.00")
    assert by_id(page, "pnl-row").first.get_attribute("data-client") == "Bob"
    assert eventually(lambda: int(by_id(page, "pnl-updates").inner_text()) == updates + 1)
    send("pnl_update", "Bob", pnl=-12.5)
    assert eventually(lambda: pnl_of(page, "Bob") == "\u221212.50")


def test_range_is_drawn_and_remembered(page: Page) -> None:
    chosen = page.locator('.ranges [aria-pressed="true"]')
    assert chosen.inner_text() == "5 min"
    assert eventually(lambda: page.evaluate(SPAN_S) == 300)
    page.get_by_role("button", name="30 min").click()
    assert eventually(lambda: page.evaluate(SPAN_S) == 1800)
    page.get_by_text("Change, 30 min").wait_for()
    page.reload()
    assert eventually(lambda: chosen.inner_text() == "30 min")
    assert eventually(lambda: page.evaluate(SPAN_S) == 1800)


def test_limits_stand_out_in_words(page: Page) -> None:
    assert rows(page) == [
        ("Ann", "AAPL/DEC", "over"),
        ("Ann", "AAPL", "near"),
        ("=Cid", "GOOGL", "near"),
        ("Bob", "GOOGL", "within"),
        ("=Cid", "AAPL", "within"),
    ]
    over = position(page, "Ann", "AAPL/DEC").inner_text()
    assert f"170{THIN_SPACE}%" in over
    assert "over by 35" in over
    near = position(page, "=Cid", "GOOGL").inner_text()
    assert f"82{THIN_SPACE}%" in near
    assert "near, 7 left" in near
    assert by_id(page, "positions-over").inner_text() == "Over a limit: 1"
    assert by_id(page, "positions-near").inner_text() == "Near a limit: 2"


def test_a_change_of_positions_crosses_the_limit(page: Page, send: Send) -> None:
    send("position_update", "Bob", GOOGL=41)
    bob = position(page, "Bob", "GOOGL")
    assert eventually(lambda: bob.get_attribute("data-level") == "over")
    assert "over by 1" in bob.inner_text()
    send("position_update", "Bob", GOOGL=30)
    assert eventually(lambda: bob.get_attribute("data-level") == "within")


def test_the_largest_figures_are_shown_larger_ones_refused_and_the_page_goes_on(
    page: Page, send: Send
) -> None:
    bob = position(page, "Bob", "GOOGL")
    for amount in (9.9e14, -9.9e14, 5e-324):
        send("position_update", "Bob", GOOGL=amount, AAPL=amount)
        send("pnl_update", "Bob", pnl=-amount)
        level = "over" if abs(amount) > 1 else "within"
        assert eventually(lambda at=level: bob.get_attribute("data-level") == at), amount
    for amount in (1e308, -1.7e308):
        send("position_update", "Bob", GOOGL=amount, AAPL=amount)
        send("pnl_update", "Bob", pnl=-amount)
    send("position_update", "Bob", GOOGL=30)
    send("pnl_update", "Bob", pnl=-12.5)
    assert eventually(lambda: pnl_of(page, "Bob") == "\u221212.50")
    assert eventually(lambda: position(page, "Bob", "AAPL").count() == 0)
    assert eventually(lambda: "30" in bob.inner_text())


def test_filter_and_sort(page: Page) -> None:
    page.fill("#positions-filter", "cid")
    assert eventually(lambda: by_id(page, "position-row").count() == 2)
    page.reload()
    assert eventually(lambda: by_id(page, "position-row").count() == 2)
    assert page.input_value("#positions-filter") == "cid"
    page.fill("#positions-filter", "nobody")
    page.get_by_text("No position matches the filter.").wait_for()
    page.fill("#positions-filter", "")
    assert eventually(lambda: by_id(page, "position-row").count() == 5)
    page.click("#only-pressing")
    assert eventually(lambda: {level for *_, level in rows(page)} == {"over", "near"})
    page.click("#only-pressing")
    assert eventually(lambda: by_id(page, "position-row").count() == 5)

    header = page.locator(".positions th", has_text="Client")
    assert header.get_attribute("aria-sort") == "none"
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert eventually(lambda: header.get_attribute("aria-sort") == "ascending")
    assert [client for client, *_ in rows(page)] == ["=Cid", "=Cid", "Ann", "Ann", "Bob"]
    page.keyboard.press("Enter")
    assert eventually(lambda: header.get_attribute("aria-sort") == "descending")
    assert next(client for client, *_ in rows(page)) == "Bob"


def test_exports_download(page: Page) -> None:
    tables = {}
    for label in ("Positions as CSV", "Positions as Parquet", "PnL history as CSV"):
        with page.expect_download() as started:
            page.get_by_label(label).click()
        file = started.value
        assert file.suggested_filename.startswith("livetape-")
        tables[label] = Path(file.path()).read_bytes()
    csv = pd.read_csv(BytesIO(tables["Positions as CSV"]))
    parquet = pd.read_parquet(BytesIO(tables["Positions as Parquet"]))
    assert sorted(parquet["client"]) == ["=Cid", "=Cid", "Ann", "Ann", "Bob"]
    assert sorted(csv["client"]) == ["'=Cid", "'=Cid", "Ann", "Ann", "Bob"]
    assert list(csv["position"]) == list(parquet["position"])
    history = pd.read_csv(BytesIO(tables["PnL history as CSV"]), parse_dates=["timestamp"])
    assert {"Ann", "Bob", "'=Cid"} == set(history["client"])
    assert str(history["timestamp"].dtype).endswith("UTC]")


def test_with_clients_axe_finds_nothing(page: Page) -> None:
    assert eventually(lambda: page.evaluate(DRAWN) == 3)
    assert violations_everywhere(page) == ""


def test_a_lost_redis_greys_the_numbers(page: Page, redis: RedisServer) -> None:
    shell = by_id(page, "pnl")
    assert shell.get_attribute("data-stale") == "false"
    redis.freeze()
    try:
        assert eventually(lambda: shell.get_attribute("data-stale") == "true")
        assert page.locator(".feed-note").first.text_content() == "redis is stale"
        page.locator(".pnl .note", has_text="since").first.wait_for()
    finally:
        redis.thaw()
    assert eventually(lambda: shell.get_attribute("data-stale") == "false")


@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 2560])
def test_layout_holds_at_every_width(
    open_page: OpenPage, server: LiveServer, clients: None, width: int
) -> None:
    page = pnl_page(open_page(width=width, height=844 if width < 600 else 900), server)
    assert eventually(lambda: page.evaluate(DRAWN) == 3)
    overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    if width >= 1440:
        below = "() => document.documentElement.scrollHeight - window.innerHeight"
        assert page.evaluate(below) <= 0
