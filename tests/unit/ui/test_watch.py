from dashboard.core.instruments import Instrument
from dashboard.ui.watch import MAX_WATCHED, Watch


def listed(symbol: str, exchange: str) -> Instrument:
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.05)


BOTH = [listed("RELIANCE", "NSE"), listed("RELIANCE", "BSE")]


def test_two_instruments_of_one_symbol_are_watched_side_by_side() -> None:
    watch = Watch(BOTH)
    assert watch.index == {("NSE", "RELIANCE"): 0, ("BSE", "RELIANCE"): 1}
    assert watch.chosen_key == ("NSE", "RELIANCE")
    assert watch.choose("BSE:RELIANCE")
    assert watch.chosen_key == ("BSE", "RELIANCE")


def test_only_a_full_id_chooses() -> None:
    watch = Watch(BOTH)
    assert not watch.choose("RELIANCE")
    assert watch.chosen_id == "NSE:RELIANCE"


def test_the_chosen_one_is_the_first_where_the_wished_one_is_not_watched() -> None:
    assert Watch(BOTH, chosen="BSE:RELIANCE").chosen is BOTH[1]
    assert Watch(BOTH, chosen="LSE:RELIANCE").chosen is BOTH[0]


def test_nothing_is_chosen_where_nothing_is_watched() -> None:
    watch = Watch([])
    assert (watch.rows, watch.chosen, watch.chosen_id, watch.chosen_key) == ([], None, "", None)


def test_what_does_not_fit_is_left_out_and_one_given_twice_counts_once() -> None:
    many = [listed(f"S{number}", "X") for number in range(MAX_WATCHED + 5)]
    watch = Watch(many)
    assert len(watch.rows) == len(watch.index) == MAX_WATCHED
    assert not watch.choose(many[-1].id)
    assert [row.symbol for row in Watch([*BOTH, BOTH[0]]).rows] == ["RELIANCE", "RELIANCE"]
