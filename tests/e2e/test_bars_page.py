"""An instrument of which a feed has whole bars, and no trades: its candles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import OpenPage
from tests.e2e.market_page import by_id, eventually, number
from tests.live_server import LiveServer

BARS = 30
DETAIL = "window.livetape.store.market.detail"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Give the product on a file of minutes, in which one takes a second."""
    file: Path = tmp_path_factory.mktemp("bars") / "ACME.csv"
    rows = [
        f"2022-01-01 00:{n:02},{100 + n},{103 + n},{98 + n},{101 + n},0.125" for n in range(BARS)
    ]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    with LiveServer(feed="replay", replay_file=file, replay_speed=60) as running:
        yield running


def test_bars_of_a_file_are_drawn_as_candles(open_page: OpenPage) -> None:
    page = open_page("/instruments/CSV:ACME")
    lengths = page.get_by_role("group", name="Length of a candle").get_by_role("button")
    assert eventually(lambda: lengths.all_inner_texts() == ["1 min", "5 min"])
    assert lengths.first.get_attribute("aria-pressed") == "true"
    assert eventually(lambda: page.locator("#candles canvas").count() > 0)
    page.locator("#candles .empty").wait_for(state="hidden")
    readout, last = by_id(page, "candles-readout"), f"{DETAIL}.bars.last"
    assert eventually(lambda: " · V " in readout.inner_text())
    assert eventually(lambda: f" · C {number(page, 'last-price'):.0f} · " in readout.inner_text())
    before = readout.inner_text()
    assert eventually(lambda: readout.inner_text() != before), "the newest candle follows"
    start, opened, high, low, close, volume = page.evaluate(f"{DETAIL}.bars.told ?? {last}")
    assert start % 60 == 0
    assert (high - close, opened - low) == (2, 2), "of the first bar in it, and of the newest"
    assert volume % 0.125 == 0
    lengths.nth(1).click()
    assert eventually(lambda: page.evaluate(f"{last}?.[0] % 300") == 0)
    assert page.evaluate(f"{DETAIL}.bars.interval") == "5m"
    page.locator("#trades-data").get_by_text("The feed sends no trades of ACME.").wait_for()
