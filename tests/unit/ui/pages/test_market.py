"""The watchlist as a browser remembers it."""

import pytest

from dashboard.core.instruments import Instrument
from dashboard.ui.page_socket import MAX_ARGUMENTS_BYTES
from dashboard.ui.pages.market import full_ids, remembered

LISTED = [
    Instrument(symbol=symbol, exchange=exchange, tick_size=0.05)
    for symbol, exchange in (("RELIANCE", "NSE"), ("RELIANCE", "BSE"), ("AAPL", "NASDAQ"))
]


def find(name: str) -> Instrument | None:
    return next((each for each in LISTED if name in (each.id, each.symbol)), None)


def test_a_watchlist_of_bare_symbols_becomes_one_of_ids() -> None:
    names = remembered('["RELIANCE","AAPL"]')
    assert names is not None
    assert full_ids(names, find) == ["NSE:RELIANCE", "NASDAQ:AAPL"]


def test_a_watchlist_of_ids_stays_what_it_is() -> None:
    ids = ["BSE:RELIANCE", "NSE:RELIANCE"]
    assert full_ids(ids, find) == ids


def test_a_name_that_no_feed_has_today_is_kept() -> None:
    assert full_ids(["ETH/USD", "AAPL"], find) == ["ETH/USD", "NASDAQ:AAPL"]


def test_a_symbol_beside_its_id_counts_once() -> None:
    assert full_ids(["AAPL", "BSE:RELIANCE", "NASDAQ:AAPL"], find) == [
        "NASDAQ:AAPL",
        "BSE:RELIANCE",
    ]


@pytest.mark.parametrize("stored", ["", "no JSON", "{}", "[1]", '["' + "A" * MAX_ARGUMENTS_BYTES])
def test_what_is_no_watchlist_is_none(stored: str) -> None:
    assert remembered(stored) is None
