from collections.abc import Sequence

import pytest

from dashboard.core.directory import Catalogue, Directory, _Index
from dashboard.core.instruments import Instrument
from tests.unit.fake_feeds import instrument


def standing(feed: str, *ids: str) -> Catalogue:
    return Catalogue(feed=feed, standing=[instrument(id_) for id_ in ids])


def demanded(feed: str, *ids: str) -> Catalogue:
    return Catalogue(feed=feed, standing=(), on_demand=[instrument(id_) for id_ in ids])


def ids(instruments: Sequence[Instrument]) -> list[str]:
    return [each.id for each in instruments]


def test_what_is_on_demand_is_listed_last_and_an_id_once() -> None:
    directory = Directory(
        [demanded("one", "NSE:TCS", "A:X"), standing("two", "A:X", "A:Y"), standing("3", "A:Y")]
    )
    assert ids(directory.standing) == ["A:Y"]
    assert ids(directory.listings) == ["A:Y", "NSE:TCS", "A:X"]
    assert directory.on_demand == {("NSE", "TCS"), ("A", "X")}
    assert directory.is_on_demand(("A", "X"))
    assert not directory.is_on_demand(("A", "Y"))


def test_the_first_feed_serves_an_id_and_the_others_are_shadowed() -> None:
    directory = Directory(
        [standing("one", "A:X"), standing("two", "A:X", "A:Y"), demanded("three", "A:Y", "A:Z")]
    )
    assert [directory.feed_of(("A", symbol)) for symbol in "XYZ?"] == ["one", "two", "three", None]
    assert directory.shadowed == {"two": {("A", "X")}, "three": {("A", "Y")}}


def test_an_id_that_a_feed_lists_twice_shadows_nothing() -> None:
    twice = Catalogue(feed="one", standing=[instrument("A:X")], on_demand=[instrument("A:X")])
    directory = Directory([twice])
    assert ids(directory.listings) == ["A:X"]
    assert directory.shadowed == {}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A:X", ["A:X"]),
        ("NSE:X", ["NSE:X"]),
        ("X", ["NSE:X", "A:X", "B:X"]),
        ("Y", ["NSE:Y", "BSE:Y"]),
        ("A:B:C", ["A:B:C"]),
        ("B:C", ["A:B:C"]),
        ("NSE", []),
        ("", []),
    ],
)
def test_a_name_is_an_id_or_a_symbol_of_the_first_feed_first(name: str, found: list[str]) -> None:
    directory = Directory(
        [
            demanded("one", "NSE:X", "NSE:Y", "BSE:Y"),
            standing("two", "A:X", "A:B:C"),
            standing("3", "B:X"),
        ]
    )
    assert ids(directory.named(name)) == found
    assert directory.find(name) == (directory.named(name)[0] if found else None)


def test_reliance_is_that_of_the_nse_which_the_first_feed_lists_first() -> None:
    of_india = demanded("broker", "NSE:RELIANCE", "BSE:RELIANCE")
    directory = Directory([of_india, standing("other", "NYSE:RELIANCE")])
    found = directory.find("RELIANCE")
    assert found is not None
    assert found.id == "NSE:RELIANCE"


def test_the_exchanges_of_a_feed_are_known() -> None:
    directory = Directory(
        [standing("one", "NSE:TCS", "BSE:TCS"), standing("two", "BSE:TCS", "X:A")]
    )
    assert directory.exchanges == {"one": {"NSE", "BSE"}, "two": {"BSE", "X"}}


LISTED = standing("one", "NSE:INFY", "CRYPTO:BTC/USD", "BSE:INFY", "NFO:BTCUSD", "NSE:TBTC")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("infy", ["NSE:INFY", "BSE:INFY"]),
        ("bse inf", ["BSE:INFY"]),
        ("inf bse", ["BSE:INFY"]),
        ("btc", ["CRYPTO:BTC/USD", "NFO:BTCUSD", "NSE:TBTC"]),
        ("tbtc", ["NSE:TBTC"]),
        ("nse", ["NSE:INFY", "NSE:TBTC"]),
        ("", ["NSE:INFY", "CRYPTO:BTC/USD", "BSE:INFY", "NFO:BTCUSD", "NSE:TBTC"]),
        ("  BTCUSD ", ["NFO:BTCUSD"]),
        ("nope", []),
        ("infy nope", []),
    ],
)
def test_a_search_finds_every_word_anywhere_and_symbols_first(text: str, found: list[str]) -> None:
    assert ids(Directory([LISTED]).search(text, 10).instruments) == found


def test_a_search_gives_the_symbol_itself_first_and_a_part_of_all() -> None:
    directory = Directory([standing("one", "A:XAB", "A:ABC", "A:AB", "A:ABD")])

    def found(limit: int, first: int = 0) -> tuple[int, list[str]]:
        matches = directory.search("ab", limit, first=first)
        return matches.found, ids(matches.instruments)

    assert found(10) == (4, ["A:AB", "A:ABC", "A:ABD", "A:XAB"])
    assert found(2) == (4, ["A:AB", "A:ABC"])
    assert found(2, 2) == (4, ["A:ABD", "A:XAB"])
    assert found(2, 4) == found(0) == (4, [])
    assert Directory().search("ab", 5).found == 0


def test_the_other_parts_of_a_search_walk_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Directory([standing("one", *(f"A:S{number}" for number in range(100)))])
    directory.search("s", 10)
    monkeypatch.setattr(_Index, "_where", None)
    assert ids(directory.search("s", 2, first=50).instruments) == ["A:S50", "A:S51"]
    assert ids(directory.search("", 2, first=50).instruments) == ["A:S50", "A:S51"]
