"""The page of one instrument on an exchange's Redis, with messages that the test sends."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.axe import violations_everywhere
from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number
from tests.redis_server import RedisServer

NAME = "AAPL/DEC"
"""Of a tick size of 0.05."""
BARS = "window.livetape.store.market.detail.bars"
Send = Callable[..., None]


@pytest.fixture(scope="module")
def send(redis: RedisServer) -> Iterator[Send]:
    """Give a function that publishes a message about the instrument."""
    with redis.client() as client:

        def publish(kind: str, **data: Any) -> None:
            now = datetime.now(UTC).isoformat()
            inner = {"instrument": NAME, "timestamp": now, **data}
            message = {"type": kind, "instrument": NAME, "timestamp": now, "data": inner}
            client.publish("market_data", json.dumps(message))

        yield publish


def order(side: str, price: float, quantity: int) -> dict[str, Any]:
    return {
        "client_name": "Ann",
        "instrument": NAME,
        "leaves_qty": quantity,
        "price": price,
        "request_id": 1,
        "side": side,
        "timestamp": datetime.now(UTC).isoformat(),
    }


def book(send: Send, bids: list[tuple[float, int]], asks: list[tuple[float, int]]) -> None:
    send(
        "orderbook_update",
        message_type="OrderbookUpdate",
        bids=[order("Buy", *level) for level in bids],
        asks=[order("Sell", *level) for level in asks],
    )


def quote(send: Send, bid: float | None, ask: float | None) -> None:
    sizes = {"best_bid_qty": 7 if bid else 0, "best_ask_qty": 9 if ask else 0}
    send("bbo_update", best_bid=bid, best_ask=ask, **sizes)


def trade(send: Send, price: float, volume: int, **when: str) -> None:
    ids = {"buyer_order_id": 1, "seller_order_id": 2}
    send("trade", buyer="Ann", seller="Bob", price=price, volume=volume, **ids, **when)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Give the instrument's page."""
    opened = open_page(f"/instruments/{NAME}")
    assert eventually(lambda: opened.locator("#page-title").inner_text().endswith(NAME))
    return opened


def row(page: Page, price: float) -> str:
    """Give the texts of the ladder's row of a price: bid volume, price, ask volume."""
    found = page.locator(f'[data-testid="ladder-row"][data-price="{price}"]')
    return " | ".join(text.strip() for text in found.locator("> span").all_inner_texts())


def test_facts_are_those_of_the_static_data(page: Page) -> None:
    facts = page.locator("#bbo-data").inner_text()
    for text in ("0.05", "AAPL_STOCK", "50", "20"):
        assert text in facts


def test_ladder_adds_orders_up_per_tick_and_marks_the_best(page: Page, send: Send) -> None:
    book(send, [(99.95, 10), (99.95, 5), (99.8, 20)], [(100.05, 4), (100.1, 6)])
    assert eventually(lambda: row(page, 99.95) == "15 | 99.95 | ")
    assert row(page, 99.8) == "20 | 99.80 | "
    assert row(page, 99.9) == " | 99.90 | "
    assert row(page, 100.05) == " | 100.05 | 4"
    best = page.locator('[data-testid="ladder-row"][data-best]')
    assert best.evaluate_all("all => all.map(e => e.dataset.price)") == ["100.05", "99.95"]


def test_quote_panel_follows_the_exchange_and_knows_an_empty_side(page: Page, send: Send) -> None:
    quote(send, 99.95, 100.05)
    assert eventually(lambda: number(page, "best-bid") == 99.95)
    assert number(page, "best-ask") == 100.05
    assert by_id(page, "quote-spread").inner_text() == "0.10"
    assert page.locator('[data-cell="bidSize"]').inner_text() == "7"
    quote(send, 99.95, None)
    assert eventually(lambda: page.locator('[data-cell="askSize"]').inner_text() == "no orders")
    assert by_id(page, "best-ask").inner_text() == "—"
    assert page.evaluate("window.livetape.store.market.detail.quote()[3]") is None


def test_trades_name_buyer_and_seller_and_make_the_last_price(page: Page, send: Send) -> None:
    quote(send, 99.95, 100.05)
    trade(send, 100.05, 12)
    newest = page.locator("#trades-data [data-testid='trade-row']").first
    assert eventually(lambda: "Ann" in newest.inner_text())
    cells = newest.locator("> span").all_inner_texts()
    assert cells[1] == "12"
    assert cells[2].endswith("100.05")
    assert cells[3:] == ["Ann", "Bob"]
    assert eventually(lambda: number(page, "last-price") == 100.05)


def test_candles_go_on_after_a_trade_from_ahead_of_time_and_take_late_ones(
    page: Page, send: Send
) -> None:
    began = datetime.now(UTC).replace(microsecond=0)

    def trade_at(seconds: float, price: float) -> None:
        trade(send, price, 1, timestamp=(began + timedelta(seconds=seconds)).isoformat())

    def closes() -> dict[float, float]:
        rows = page.evaluate(f"{BARS}.rows")
        return {row[0] - began.timestamp(): row[4] for row in rows}

    trade_at(4, 99.0)
    assert eventually(lambda: closes().get(4) == 99)
    for seconds, price in ((-62.9, 10.0), (-62.8, 20.0), (-62.7, 15.0)):
        trade_at(seconds, price)
    assert eventually(lambda: closes().get(-63) == 15)
    for seconds, price in ((-61.2, 30.0), (-62.6, 16.0), (-62.95, 17.0), (-59.0, 31.0)):
        trade_at(seconds, price)
    assert eventually(lambda: closes().get(-59) == 31)
    assert [closes()[at] for at in (-63, -62, 4)] == [16, 30, 99]
    assert eventually(lambda: page.evaluate(f"{BARS}.fresh.size") == 0)


def test_counters_count_messages_of_the_exchange(page: Page, send: Send) -> None:
    before = number(page, "messages-count")
    for price in (99.9, 99.95):
        book(send, [(price, 1)], [(100.05, 1)])
        quote(send, price, 100.05)
        trade(send, 100.05, 1)
    assert eventually(lambda: number(page, "messages-count") == before + 6)
    assert number(page, "books-count") == 2
    assert number(page, "trades-count") == 2


def test_theoretical_price_is_that_of_the_underlying(page: Page, redis: RedisServer) -> None:
    with redis.client() as client:
        client.set("theo:AAPL_STOCK", "100.125")
    assert eventually(lambda: number(page, "quote-theo") == 100.125)


def test_prices_below_zero_are_shown_everywhere(send: Send, page: Page) -> None:
    book(send, bids=[(-37.70, 3), (-37.75, 4)], asks=[(-37.60, 5), (0.0, 1), (0.05, 2)])
    send("bbo_update", best_bid=-37.70, best_ask=-37.60, best_bid_qty=3, best_ask_qty=5)
    trade(send, -37.65, 2)
    assert eventually(lambda: number(page, "best-bid") == -37.7)
    assert eventually(lambda: number(page, "last-price") == -37.65)
    assert by_id(page, "quote-points").inner_text() == "\u2014"
    assert by_id(page, "quote-mid").inner_text() == "\u221237.650"
    prices = page.locator('[data-testid="ladder-row"][data-best]')
    assert eventually(lambda: prices.count() == 2)
    assert [prices.nth(at).get_attribute("data-price") for at in range(2)] == ["-37.6", "-37.7"]
    readout = by_id(page, "candles-readout")
    assert eventually(lambda: "C \u221237.65" in readout.inner_text())


def test_axe_finds_nothing(page: Page, send: Send) -> None:
    assert violations_everywhere(page) == ""
