import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import Book, Price, PriceBasis
from dashboard.feeds.parsing.changes import BookDelta, BookSnapshot, QuoteChange
from dashboard.feeds.parsing.markets import BOOK_LEVELS, Markets
from tests.unit.fakes import trade

MID = PriceBasis.MID

Levels = tuple[tuple[float, float], ...]


def delta(
    bids: Levels = (), asks: Levels = (), *, previous: int | None = None, last: int | None = None
) -> BookDelta:
    return BookDelta(
        symbol="A", exchange="X", ts_event=7, bids=bids, asks=asks, previous=previous, last=last
    )


def snapshot(bids: Levels, asks: Levels) -> BookSnapshot:
    return BookSnapshot(symbol="A", exchange="X", ts_event=7, bids=bids, asks=asks)


def apply(markets: Markets, change: BookDelta | BookSnapshot) -> Book:
    event = markets.apply(change)
    assert isinstance(event, Book)
    return event


def five(first: float, step: int) -> Levels:
    return tuple((first + step * n, 1.0) for n in range(5))


def test_a_book_is_published_whole_after_each_change() -> None:
    markets = Markets()
    many = tuple((float(price), 1.0) for price in range(1, 50))
    book = apply(markets, snapshot(many, ((60.0, 2.0),)))
    assert len(book.bids) == BOOK_LEVELS == 20
    assert (book.bids[0], book.asks, book.partial) == ((49.0, 1.0), ((60.0, 2.0),), False)
    book = apply(markets, delta(((50.0, 3.0),), ((60.0, 0.0),)))
    assert (book.bids[:2], book.asks) == (((50.0, 3.0), (49.0, 1.0)), ())


def test_a_book_of_deltas_is_partial_until_both_sides_have_five_levels() -> None:
    markets = Markets()
    assert apply(markets, delta(five(10, -1))).partial
    assert apply(markets, delta(asks=five(11, 1)[:4])).partial
    assert not apply(markets, delta(asks=((15.0, 1.0),))).partial
    assert not apply(markets, delta(asks=((15.0, 0.0),))).partial


def test_a_gap_in_the_numbers_is_counted_and_begins_the_book_anew() -> None:
    markets = Markets()
    apply(markets, delta(five(10, -1), five(11, 1), previous=1, last=4))
    assert not apply(markets, delta(((9.0, 0.0),), previous=4, last=6)).partial
    assert markets.gaps == 0
    book = apply(markets, delta(((10.0, 2.0),), previous=7, last=9))
    assert (markets.gaps, book.bids, book.asks, book.partial) == (1, ((10.0, 2.0),), (), True)
    apply(markets, delta(previous=9, last=10))
    assert markets.gaps == 1


DEEP = (tuple((100.0 - n, 1.0) for n in range(8)), tuple((101.0 + n, 1.0) for n in range(8)))


def deep(markets: Markets) -> Book:
    apply(markets, delta(*DEEP, previous=90, last=100))
    return apply(markets, delta(((100.0, 2.0),), previous=100, last=110))


@pytest.mark.parametrize(
    "older",
    [
        delta(((100.0, 2.0),), previous=100, last=110),  # the newest once more
        delta(((100.0, 7.0),), previous=90, last=100),  # one that was there
        delta(((50.0, 7.0),), previous=60, last=70),  # one that comes late
        delta(((50.0, 7.0),), previous=105, last=106),  # of another connection's steps
    ],
)
def test_what_is_not_newer_changes_nothing(older: BookDelta) -> None:
    markets = Markets()
    before = deep(markets)
    assert markets.apply(older) is None
    assert list(markets.latest(7, lambda _key: True)) == [before]
    after = apply(markets, delta(((99.0, 3.0),), previous=110, last=120))
    assert (after.bids[:2], len(after.asks)) == (((100.0, 2.0), (99.0, 3.0)), 8)
    assert (markets.gaps, markets.crossed) == (0, 0)


def test_an_update_that_reaches_over_the_newest_is_no_gap() -> None:
    markets = Markets()
    deep(markets)
    after = apply(markets, delta(((99.0, 3.0),), previous=100, last=120))
    assert (markets.gaps, len(after.bids), after.bids[1]) == (0, 8, (99.0, 3.0))


def test_ten_seconds_of_nothing_but_older_updates_begin_the_book_anew() -> None:
    markets = Markets()
    deep(markets)
    for second in (20.0, 25.0, 29.9):
        older = delta(((50.0, 1.0),), previous=60, last=70 + int(second))
        assert markets.apply(older, now=round(second * 1e9)) is None
    book = markets.apply(delta(((50.0, 1.0),), previous=60, last=80), now=30_000_000_000)
    assert isinstance(book, Book)
    assert (book.bids, book.asks, book.partial, markets.gaps) == (((50.0, 1.0),), (), True, 1)
    apply(markets, delta(((51.0, 1.0),), previous=80, last=81))
    assert markets.gaps == 1


def test_a_newer_update_ends_the_ten_seconds() -> None:
    markets = Markets()
    deep(markets)
    older = delta(((50.0, 1.0),), previous=60, last=70)
    assert markets.apply(older, now=0) is None
    assert markets.apply(delta(previous=110, last=120), now=9_000_000_000) is not None
    assert markets.apply(older, now=11_000_000_000) is None
    assert markets.apply(older, now=20_900_000_000) is None
    assert markets.gaps == 0


@given(st.lists(st.integers(0, 9), max_size=40))
def test_repeated_and_late_updates_leave_what_the_updates_in_order_leave(late: list[int]) -> None:
    updates = [
        delta(
            ((float(90 + n), float(n)),), ((101.0 + n % 4, 1.0),), previous=10 * n, last=10 + 10 * n
        )
        for n in range(10)
    ]
    ordered, disturbed = Markets(), Markets()
    for number, update in enumerate(updates):
        expected = ordered.apply(update)
        assert disturbed.apply(update) == expected
        for each in late:
            if each <= number:
                assert disturbed.apply(updates[each]) is None
    assert list(disturbed.latest(0, lambda _key: True)) == list(
        ordered.latest(0, lambda _key: True)
    )
    assert disturbed.gaps == 0


def test_dropped_crossed_levels_are_counted() -> None:
    markets = Markets()
    apply(markets, snapshot(((10.0, 1.0),), ((11.0, 1.0),)))
    book = apply(markets, delta(((11.0, 1.0),)))
    assert (markets.crossed, book.asks) == (1, ())


def test_the_price_of_a_quote_is_its_mid() -> None:
    quote = QuoteChange(symbol="A", exchange="X", ts_event=7, bid_price=7.611, ask_price=7.612)
    price = Price(symbol="A", exchange="X", price=7.6115, volume=0, basis=MID, ts_event=7)
    assert Markets().apply(quote) == price


def test_the_mid_of_the_smallest_prices_is_between_them() -> None:
    quote = QuoteChange(symbol="A", exchange="X", ts_event=7, bid_price=1e-15, ask_price=3e-15)
    price = Markets().apply(quote)
    assert isinstance(price, Price)
    assert price.price == 2e-15


def test_the_latest_price_and_book_are_kept_though_unwanted() -> None:
    markets = Markets()
    quote = QuoteChange(symbol="A", exchange="X", ts_event=7, bid_price=1, ask_price=2)
    assert markets.apply(quote, wanted=False) is None
    assert markets.apply(snapshot(((1.0, 1.0),), ()), wanted=False) is None
    assert list(markets.latest(9, lambda _key: True)) == [
        Price(symbol="A", exchange="X", price=1.5, volume=0, basis=MID, ts_event=9),
        Book(symbol="A", exchange="X", bids=((1.0, 1.0),), asks=(), ts_event=9),
    ]
    assert list(markets.latest(9, lambda _key: False)) == []


def test_the_latest_price_is_that_of_the_last_trade_whatever_mids_came_after_it() -> None:
    markets = Markets()
    mid = QuoteChange(symbol="BTC/USD", exchange="CRYPTO", ts_event=7, bid_price=1, ask_price=2)
    made = [markets.apply(mid), markets.apply(trade(value=1.25)), markets.apply(mid)]
    assert [each.basis for each in made if isinstance(each, Price)] == [MID, MID]
    [latest] = markets.latest(9, lambda _key: True)
    assert isinstance(latest, Price)
    assert (latest.price, latest.basis) == (1.25, PriceBasis.LAST)


def test_a_new_connection_forgets_the_books_of_its_venue_alone() -> None:
    markets = Markets()
    apply(markets, snapshot(((1.0, 1.0),), ()))
    markets.forget_books("Y")
    assert apply(markets, delta()).bids
    markets.forget_books("X", but={("X", "A")})
    assert apply(markets, delta()).bids
    markets.forget_books("X")
    assert not apply(markets, delta()).bids


def test_some_books_can_be_forgotten_and_unknown_ones() -> None:
    markets = Markets()
    apply(markets, snapshot(((1.0, 1.0),), ()))
    markets.forget({("X", "B"), ("Y", "A")})
    assert apply(markets, delta()).bids
    markets.forget({("X", "A")})
    assert not apply(markets, delta()).bids
