"""What a page is told of the instruments that match a text."""

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.instruments import Instrument
from dashboard.ui.columns import Found
from dashboard.ui.search import MAX_CHARACTERS, PART, Search

MANY = [
    Instrument(symbol=f"SIM{number:04d}", exchange="SIM", tick_size=0.01)
    for number in range(PART + 10)
]
BOTH = [
    Instrument(symbol="RELIANCE", exchange=exchange, tick_size=0.05) for exchange in ("NSE", "BSE")
]
DIRECTORY = Directory([Catalogue(feed="a", standing=MANY), Catalogue(feed="b", standing=BOTH)])


def answer(text: str, first: int) -> Found:
    search = Search()
    search.ask(text, first)
    found = search.answer(DIRECTORY, 0.0)
    assert found is not None
    return found


def test_parts_follow_each_other_and_say_how_many_there_are() -> None:
    first, second = (answer("sim", at) for at in (0, PART))
    assert [first.found, second.found] == [len(MANY)] * 2
    assert first.listed == len(MANY) + 2
    symbols = [row.symbol for row in (*first.rows, *second.rows)]
    assert symbols == [each.symbol for each in MANY]
    assert answer("sim", 10**9).rows == []
    assert answer("sim", -5).first == 0


def test_two_instruments_of_one_symbol_are_both_found() -> None:
    assert [(row.symbol, row.exchange) for row in answer("reliance", 0).rows] == [
        ("RELIANCE", "NSE"),
        ("RELIANCE", "BSE"),
    ]


def test_an_empty_text_finds_all() -> None:
    found = answer("", PART)
    assert found.found == found.listed == len(MANY) + 2
    assert [row.exchange for row in found.rows[-2:]] == ["NSE", "BSE"]


def test_a_long_text_is_cut() -> None:
    assert answer("x" * 1000, 0).text == "x" * MAX_CHARACTERS


def test_the_newest_question_is_answered_once() -> None:
    search = Search()
    assert search.answer(DIRECTORY, 0.0) is None
    search.ask("sim", 0)
    search.ask("rel", 0)
    found = search.answer(DIRECTORY, 0.0)
    assert found is not None
    assert found.text == "rel"
    assert search.answer(DIRECTORY, 9.0) is None


def test_who_asks_all_the_time_is_answered_ten_times_a_second() -> None:
    search = Search()
    answers = 0
    for number in range(64):
        search.ask(f"sim{number}", 0)
        answers += search.answer(DIRECTORY, number / 64) is not None
    assert answers == 10
