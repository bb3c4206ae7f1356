import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.book import OrderBook

Levels = list[tuple[float, float]]

prices = st.integers(-20, 20).map(lambda ticks: ticks / 4)
sizes = st.sampled_from([0.0, 0.5, 1.0, 7.25])
sides = st.lists(st.tuples(prices, sizes), max_size=8)
apart = st.tuples(
    st.lists(st.tuples(st.integers(-20, 0).map(float), sizes), max_size=8),
    st.lists(st.tuples(st.integers(1, 20).map(float), sizes), max_size=8),
)


def naive(book: dict[float, float], changes: Levels) -> None:
    for price, size in changes:
        if size:
            book[price] = size
        else:
            book.pop(price, None)


@given(snapshot=apart, deltas=st.lists(apart, max_size=20), depth=st.integers(0, 12))
def test_a_book_is_what_two_dictionaries_are(
    snapshot: tuple[Levels, Levels], deltas: list[tuple[Levels, Levels]], depth: int
) -> None:
    book = OrderBook()
    book.apply_snapshot([(5.0, 9.0)], [(25.0, 9.0)])  # replaced as a whole
    book.apply_snapshot(*snapshot)
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    for new_bids, new_asks in [snapshot, *deltas]:
        naive(bids, new_bids)
        naive(asks, new_asks)
    for delta in deltas:
        book.apply_delta(*delta)
    assert book.levels(depth) == (
        tuple(sorted(bids.items(), reverse=True)[:depth]),
        tuple(sorted(asks.items())[:depth]),
    )
    assert book.depth == (len(bids), len(asks))
    assert book.crossed == 0


@given(deltas=st.lists(st.tuples(sides, sides), max_size=30))
def test_a_book_is_never_crossed_and_counts_what_it_drops(
    deltas: list[tuple[Levels, Levels]],
) -> None:
    book = OrderBook()
    for bids, asks in deltas:
        before, levels = book.crossed, sum(book.depth)
        book.apply_delta(bids, asks)
        best_bids, best_asks = book.levels(100)
        assert list(best_bids) == sorted(best_bids, reverse=True)
        assert list(best_asks) == sorted(best_asks)
        assert all(size > 0 for _, size in (*best_bids, *best_asks))
        if best_bids and best_asks:
            assert best_bids[0][0] < best_asks[0][0]
        assert sum(book.depth) <= levels + len(bids) + len(asks) - (book.crossed - before)


def test_a_newer_level_drops_the_older_ones_that_it_crosses() -> None:
    book = OrderBook()
    book.apply_snapshot([(99, 1), (98, 1)], [(100, 1), (101, 1), (102, 1)])
    book.apply_delta([(101, 5)], [])
    assert book.levels(9) == (((101, 5), (99, 1), (98, 1)), ((102, 1),))
    assert book.crossed == 2
    book.apply_delta([], [(99, 2)])
    assert book.levels(9) == (((98, 1),), ((99, 2), (102, 1)))
    assert book.crossed == 4


def test_a_change_that_crosses_itself_loses_both_levels() -> None:
    book = OrderBook()
    book.apply_snapshot([(100, 1), (98, 1)], [(100, 1), (103, 1)])
    assert book.levels(9) == (((98, 1),), ((103, 1),))
    assert book.crossed == 2


def test_only_the_outcome_of_a_delta_is_checked() -> None:
    book = OrderBook()
    book.apply_snapshot([(99, 1)], [(100, 1)])
    book.apply_delta([(100, 1)], [(100, 0), (101, 2)])
    assert book.levels(1) == (((100, 1),), ((101, 2),))
    assert book.crossed == 0


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_an_empty_book_has_no_levels(depth: int) -> None:
    assert OrderBook().levels(depth) == ((), ())
