from collections.abc import Sequence

from dashboard.core.instruments import Instrument, InstrumentKind, Sent
from dashboard.ui.watch import MAX_WATCHED, Watch
from tests.unit.fake_feeds import directory_of


def listed(symbol: str, exchange: str) -> Instrument:
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.05)


BOTH = [listed("RELIANCE", "NSE"), listed("RELIANCE", "BSE")]


def watching(instruments: Sequence[Instrument], *, chosen: str = "") -> Watch:
    return Watch(instruments, feed_of=directory_of(BOTH[0]).feed_of, chosen=chosen)


def test_two_instruments_of_one_symbol_are_watched_side_by_side() -> None:
    watch = watching(BOTH)
    assert watch.index == {("NSE", "RELIANCE"): 0, ("BSE", "RELIANCE"): 1}
    assert watch.chosen_key == ("NSE", "RELIANCE")
    assert watch.choose("BSE:RELIANCE")
    assert watch.chosen_key == ("BSE", "RELIANCE")


def test_only_a_full_id_chooses() -> None:
    watch = watching(BOTH)
    assert not watch.choose("RELIANCE")
    assert watch.chosen_id == "NSE:RELIANCE"


def test_the_chosen_one_is_the_first_where_the_wished_one_is_not_watched() -> None:
    assert watching(BOTH, chosen="BSE:RELIANCE").chosen is BOTH[1]
    assert watching(BOTH, chosen="LSE:RELIANCE").chosen is BOTH[0]


def test_nothing_is_chosen_where_nothing_is_watched() -> None:
    watch = watching([])
    assert (watch.rows, watch.chosen, watch.chosen_id, watch.chosen_key) == ([], None, "", None)


def test_what_does_not_fit_is_left_out_and_one_given_twice_counts_once() -> None:
    many = [listed(f"S{number}", "X") for number in range(MAX_WATCHED + 5)]
    watch = watching(many)
    assert len(watch.rows) == len(watch.index) == MAX_WATCHED
    assert not watch.choose(many[-1].id)
    assert [row.symbol for row in watching([*BOTH, BOTH[0]]).rows] == ["RELIANCE", "RELIANCE"]


def test_a_row_says_what_it_is_what_its_feed_sends_and_which_that_is() -> None:
    index = Instrument(
        symbol="NIFTY",
        exchange="NSE",
        tick_size=0.05,
        kind=InstrumentKind.INDEX,
        sends=(Sent.VOLUME,),
        bar_ms=60_000,
    )
    watch = Watch([index, BOTH[1]], feed_of={index.key: "broker"}.get)
    assert [(row.kind, row.sends, row.feed, row.bar_ms) for row in watch.rows] == [
        ("index", ("volume",), "broker", 60_000),
        (None, (), "", None),
    ]
