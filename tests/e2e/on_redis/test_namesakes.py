"""Two feeds that list an instrument of one symbol: NASDAQ's AAPL and the exchange's on Redis."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number
from tests.integration import exchange
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

IDS = ["NASDAQ:AAPL", "REDIS:AAPL"]
FAR = 321.05
"""A price that only the exchange on Redis has."""


@pytest.fixture(scope="module")
def server(redis: RedisServer) -> Iterator[LiveServer]:
    """Give the product with the simulator and the exchange on Redis."""
    with LiveServer(feed="simulator,redis", redis_url=redis.url) as running:
        yield running


def trade(redis: RedisServer) -> None:
    with redis.client() as client:
        client.publish(exchange.CHANNEL, exchange.trade(1, price=FAR))


def card(page: Page, id_: str) -> Locator:
    return page.locator(f'[data-testid="symbol-card"][data-id="{id_}"]')


def cards(page: Page) -> list[str | None]:
    return by_id(page, "symbol-card").evaluate_all("all => all.map(each => each.dataset.id)")


def price(page: Page, id_: str) -> float:
    value = card(page, id_).locator(".price").get_attribute("data-value")
    return float(value) if value else 0.0


def test_they_stand_side_by_side_on_the_market_page(
    open_page: OpenPage, redis: RedisServer
) -> None:
    page = open_page()
    assert [each for each in cards(page) if each in IDS] == IDS
    assert eventually(lambda: 0 < price(page, "NASDAQ:AAPL") < FAR)
    trade(redis)
    assert eventually(lambda: price(page, "REDIS:AAPL") == FAR)
    assert price(page, "NASDAQ:AAPL") < FAR
    tape = page.locator('[data-testid="trade-row"] .symbol', has_text="AAPL")
    assert eventually(lambda: tape.first.inner_text() == "AAPL REDIS")
    for id_, name in zip(IDS, ("AAPL NASDAQ", "AAPL REDIS"), strict=True):
        card(page, id_).click()
        assert eventually(lambda n=name: page.locator("#book .open").inner_text() == n)
        assert card(page, id_).get_attribute("aria-pressed") == "true"
    page.get_by_text("Prices as a table").click()
    table = page.get_by_role("table", name="Prices as a table")
    assert eventually(lambda: table.get_by_role("rowheader", name="AAPL REDIS").count() == 1)


def test_each_is_watched_by_itself_and_remembered_by_its_id(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Remove AAPL NASDAQ").click()
    assert eventually(lambda: [each for each in cards(page) if each in IDS] == ["REDIS:AAPL"])
    page.locator("#add-symbol").fill("aapl")
    page.get_by_role("button", name="Add AAPL NASDAQ").click()
    assert eventually(lambda: [each for each in cards(page) if each in IDS] == IDS[::-1])
    page.reload()
    assert eventually(lambda: [each for each in cards(page) if each in IDS] == IDS[::-1])


def test_a_watchlist_of_bare_symbols_is_kept_as_one_of_ids(open_page: OpenPage) -> None:
    stored = "localStorage.getItem('livetape-watchlist')"
    script = """if (!localStorage.getItem("livetape-watchlist"))
        localStorage.setItem("livetape-watchlist", '["AAPL","GOOGL","ETH/USD"]');"""
    page = open_page(script=script)
    ids = ["NASDAQ:AAPL", "REDIS:GOOGL", "CRYPTO:ETH/USD"]
    assert eventually(lambda: cards(page) == ids)
    assert eventually(lambda: json.loads(page.evaluate(stored)) == ids)


def test_each_has_a_page_and_a_bare_symbol_is_the_first_feeds(
    open_page: OpenPage, redis: RedisServer
) -> None:
    for path, venue in (("AAPL", "NASDAQ"), ("NASDAQ:AAPL", "NASDAQ"), ("REDIS:AAPL", "REDIS")):
        page = open_page(f"/instruments/{path}")
        heading = page.locator(".instrument-heading")
        assert eventually(lambda h=heading, v=venue: h.locator(".venue").inner_text() == v)
        assert page.locator("#page-title").inner_text() == "Exchange Dashboard - AAPL"
        trade(redis)
        far = venue == "REDIS"
        assert eventually(lambda p=page, f=far: (number(p, "last-price") == FAR) is f)
        assert eventually(lambda p=page: number(p, "last-price") > 0)


def test_both_are_found_wherever_one_searches(open_page: OpenPage) -> None:
    page = open_page("/instruments")
    page.locator("#tile-search").fill("aapl")
    tiles = by_id(page, "instrument-tile")
    ids = "all => all.map(each => each.dataset.id)"
    path = "location.pathname"
    found = [*IDS, "REDIS:AAPL/DEC"]
    assert eventually(lambda: tiles.evaluate_all(ids) == found)
    page.keyboard.press("Control+k")
    page.keyboard.type("aapl redis")
    page.get_by_role("option", name="Go to instrument AAPL REDIS", exact=True).click()
    assert eventually(lambda: page.evaluate(path) == "/instruments/REDIS:AAPL")
    page.locator("#instrument-search").wait_for()  # it hears the key once it is there
    page.keyboard.press("/")
    page.keyboard.type("aapl")
    options = page.locator("#instrument-select option:not(:first-child)")
    assert eventually(lambda: options.evaluate_all("all => all.map(o => o.value)") == found)
    page.keyboard.press("Enter")
    assert eventually(lambda: page.evaluate(path) == "/instruments/NASDAQ:AAPL")
