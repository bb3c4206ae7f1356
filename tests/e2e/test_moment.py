"""No two prices of one moment on a page, and none outside the book beside it."""

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number

SAMPLES = 200
DRAWN = """
window.drawn = new WeakMap();
const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.clearRect = function (x, y, ...size) {
  if (!x && !y) window.drawn.set(this.canvas, []);
  return clearRect.call(this, x, y, ...size);
};
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.drawn.get(this.canvas)?.push(text);
  return fillText.call(this, text, ...rest);
};
"""
"""A script that keeps in `window.drawn` the texts that a canvas shows."""
SAMPLE = """async (samples) => {
  const read = READ;
  const numberIn = (text) => Number(text.replaceAll("\\u2009", ""));
  const shown = (name) => Number(document.querySelector(name)?.dataset.value ?? NaN);
  const taken = [];
  while (taken.length < samples) {
    await new Promise((done) => setTimeout(done, 15));
    taken.push(read({ numberIn, shown }));
  }
  return taken;
}"""
MARKET = """({ numberIn, shown }) => {
  const card = document.querySelector('.card[aria-pressed="true"]');
  const asks = [...document.querySelectorAll('[data-testid="book-ask"]')];
  return {
    bid: shown('[data-testid="book-bid"]'),
    ask: Number(asks.at(-1).dataset.value),
    prices: {
      card: Number(card.querySelector(".price").dataset.value),
      canvas: numberIn(window.drawn.get(card.querySelector("canvas")).join("")),
    },
  };
}"""
INSTRUMENT = """({ numberIn, shown }) => {
  const rung = (side) => Number(document.querySelector(`[data-best="${side}"]`).dataset.price);
  const tags = window.drawn.get(document.querySelector("#steps canvas")).slice(-2);
  const figure = (name) => shown(`[data-testid="${name}"]`);
  const last = figure("last-price");
  const candle = document.querySelector('[data-testid="candles-readout"]').textContent;
  const isOfNow = window.livetape.store.market.detail.bars.told !== null;
  const quoted = { bid: figure("best-bid"), ask: figure("best-ask") };
  return {
    bid: rung("bid"),
    ask: rung("ask"),
    prices: { last, candle: isOfNow ? numberIn(candle.match(/ C ([^·]+) ·/)[1]) : last },
    bids: { quoted: quoted.bid, tag: numberIn(tags[1]) },
    asks: { quoted: quoted.ask, tag: numberIn(tags[0]) },
  };
}"""


def samples(page: Page, read: str) -> list[dict]:
    return page.evaluate(SAMPLE.replace("READ", read), SAMPLES)


def assert_one_moment(taken: list[dict]) -> None:
    """See to it that all of each sample is of its book's moment."""
    assert len({sample["bid"] for sample in taken}) > 5, "it moves"
    wrong = [
        sample
        for sample in taken
        if not (
            all(sample["bid"] <= each <= sample["ask"] for each in sample["prices"].values())
            and len(set(sample["prices"].values())) == 1
            and set(sample.get("bids", {}).values()) <= {sample["bid"]}
            and set(sample.get("asks", {}).values()) <= {sample["ask"]}
        )
    ]
    assert (len(wrong), wrong[:3]) == (0, [])


def test_the_market_page_shows_one_moment(open_page: OpenPage) -> None:
    page = open_page(script=DRAWN)
    page.locator('[data-testid="book-bid"][data-value]').first.wait_for()
    assert eventually(lambda: page.locator(".card .price[data-value]").count() == 5)
    assert_one_moment(samples(page, MARKET))


@pytest.mark.parametrize("symbol", ["BTC/USD", "NSE:RELIANCE"])
def test_an_instruments_page_shows_one_moment(open_page: OpenPage, symbol: str) -> None:
    page = open_page(f"/instruments/{symbol}", script=DRAWN)
    page.locator('[data-best="bid"]').wait_for()
    assert eventually(lambda: number(page, "last-price") > 0)
    assert eventually(lambda: number(page, "best-bid") > 0)
    assert by_id(page, "price-basis").inner_text() == "Last"
    assert_one_moment(samples(page, INSTRUMENT))
