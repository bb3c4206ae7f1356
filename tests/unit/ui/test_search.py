"""What a page is told of the instruments that match a text."""

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.instruments import Instrument
from dashboard.ui.search import PART, search

MANY = [
    Instrument(symbol=f"SIM{number:04d}", exchange="SIM", tick_size=0.01)
    for number in range(PART + 10)
]
BOTH = [
    Instrument(symbol="RELIANCE", exchange=exchange, tick_size=0.05) for exchange in ("NSE", "BSE")
]
DIRECTORY = Directory([Catalogue(feed="a", standing=MANY), Catalogue(feed="b", standing=BOTH)])


def test_parts_follow_each_other_and_say_how_many_there_are() -> None:
    first, second = (search(DIRECTORY, "sim", at) for at in (0, PART))
    assert [first.found, second.found] == [len(MANY)] * 2
    assert first.listed == len(MANY) + 2
    symbols = [row.symbol for row in (*first.rows, *second.rows)]
    assert symbols == [each.symbol for each in MANY]
    assert search(DIRECTORY, "sim", 10**9).rows == []


def test_two_instruments_of_one_symbol_are_both_found() -> None:
    assert [(row.symbol, row.exchange) for row in search(DIRECTORY, "reliance", 0).rows] == [
        ("RELIANCE", "NSE"),
        ("RELIANCE", "BSE"),
    ]


def test_an_empty_text_finds_all() -> None:
    found = search(DIRECTORY, "", PART)
    assert found.found == found.listed == len(MANY) + 2
    assert [row.exchange for row in found.rows[-2:]] == ["NSE", "BSE"]
