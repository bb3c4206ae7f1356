from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dashboard.core.model import Book, Event, Kind, Price, Published, Quote, Trade
from dashboard.ui.moment import MOST_HELD, PATIENCE_S, Moment
from tests.unit.fakes import book, open_interest, price, published, trade

KEY = ("CRYPTO", "BTC/USD")


class Offsets:
    """Numbers events as a hub does."""

    def __init__(self) -> None:
        self.offset = 0

    def __call__(self, *events: Event) -> list[Published]:
        entries: list[Published] = []
        for event in events:
            self.offset += 1
            entries.append(published(event, self.offset))
        return entries


def at(mid: float) -> Book:
    return book(bids=((mid - 1, 1.0),), asks=((mid + 1, 1.0),))


def quote(mid: float, *, bid_size: float = 1.0) -> Quote:
    return Quote(
        symbol="BTC/USD",
        exchange="CRYPTO",
        bid_price=mid - 1,
        bid_size=bid_size,
        ask_price=mid + 1,
        ask_size=1.0,
        ts_event=0,
    )


def take(moment: Moment, number: Offsets, *events: Event, now_s: float = 0.0) -> list[Event]:
    return [entry.event for entry in moment.take(number(*events), now_s)]


def test_what_has_moved_on_waits_for_the_book_that_has_too() -> None:
    moment, number = Moment(KEY), Offsets()
    assert take(moment, number, at(100), quote(100), price(value=100)) == [
        at(100),
        quote(100),
        price(value=100),
    ]
    moved = [quote(105), price(value=105), trade(value=106)]
    assert take(moment, number, *moved) == []
    assert moment.held is not None
    assert moment.held.offset == 4
    assert take(moment, number, at(105)) == [*moved, at(105)]
    assert moment.held is None


def test_a_price_between_the_best_of_the_book_passes() -> None:
    moment, number = Moment(KEY), Offsets()
    events = [at(100), trade(value=99), trade(value=101), price(value=100.5), quote(100)]
    assert take(moment, number, *events) == events


def test_a_price_waits_with_the_quote_of_its_moment_wherever_it_is() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, at(100))
    assert take(moment, number, quote(100.5), price(value=100.5)) == []


def test_another_size_at_the_best_is_another_moment_too() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, at(100))
    assert take(moment, number, quote(100, bid_size=2.0)) == []


def test_other_instruments_and_other_kinds_pass_meanwhile() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, at(100), price(value=200))
    others = [price("ETH/USD", 9), price(exchange="X"), open_interest(1, 1)]
    assert take(moment, number, *others) == others


def test_nothing_waits_where_the_best_is_not_known() -> None:
    partial = replace(at(100), partial=True)
    crossed = book(bids=((102.0, 1.0),), asks=((101.0, 1.0),))
    for first in ([], [partial], [crossed], [at(100), partial]):
        moment, number = Moment(KEY), Offsets()
        take(moment, number, *first)
        assert take(moment, number, price(value=500)) == [price(value=500)]
    moment, number = Moment(None), Offsets()
    assert take(moment, number, at(100), price(value=500)) == [at(100), price(value=500)]


def test_an_empty_side_bounds_nothing() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, book(bids=((100.0, 1.0),), asks=()))
    assert take(moment, number, price(value=500)) == [price(value=500)]
    assert take(moment, number, price(value=99)) == []


def test_patience_ends_and_the_book_is_then_no_measure() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, at(100))
    assert take(moment, number, price(value=200), now_s=10) == []
    assert take(moment, number, now_s=10 + PATIENCE_S / 2) == []
    assert take(moment, number, now_s=10 + PATIENCE_S) == [price(value=200)]
    assert take(moment, number, price(value=300), now_s=10 + PATIENCE_S) == [price(value=300)]
    assert take(moment, number, at(300), price(value=200), now_s=20) == [at(300)]


def test_what_waits_is_bounded() -> None:
    moment, number = Moment(KEY), Offsets()
    take(moment, number, at(100))
    waiting = [trade(value=200)] * MOST_HELD
    assert take(moment, number, *waiting) == []
    assert len(take(moment, number, trade(value=200))) == MOST_HELD + 1


def test_the_book_of_another_choice_waits_where_its_price_has_moved_on() -> None:
    moment, number = Moment(KEY), Offsets()
    assert [entry.event for entry in moment.begin(number(at(100), price(value=100)), 0)] == [
        at(100)
    ]
    moment = Moment(KEY)
    assert moment.begin(number(at(100), quote(105), price(value=105)), 0) == []
    assert take(moment, number, price(value=106)) == [], "it would be older than the price"
    assert take(moment, number, at(107))[-1] == at(107)
    moment = Moment(KEY)
    moment.begin(number(at(100), price(value=105)), 0)
    assert take(moment, number, now_s=PATIENCE_S) == [at(100)], "no newer one has come"


moves = st.lists(
    st.tuples(st.sampled_from([Kind.PRICE, Kind.TRADE, Kind.QUOTE, Kind.BOOK]), st.integers(1, 9)),
    max_size=40,
)


@given(moves, st.lists(st.integers(1, 5), min_size=1))
def test_nothing_is_lost_and_no_price_is_outside_the_book_that_stands(
    made: list[tuple[Kind, int]], pushes: list[int]
) -> None:
    moment, number = Moment(KEY), Offsets()
    make = {
        Kind.PRICE: lambda at_: price(value=float(at_)),
        Kind.TRADE: lambda at_: trade(value=float(at_)),
        Kind.QUOTE: quote,
        Kind.BOOK: at,
    }
    left = number(*(make[kind](value) for kind, value in made))
    events = [entry.event for entry in left]
    passed: list[Event] = []
    while left:
        size = pushes[len(left) % len(pushes)]
        passed += [entry.event for entry in moment.take(left[:size], 0)]
        left = left[size:]
        after = list(takewhile(lambda each: not isinstance(each, Book), reversed(passed)))
        if len(after) < len(passed):
            stands = passed[-1 - len(after)]
            assert isinstance(stands, Book)
            prices = [each.price for each in after if isinstance(each, Price | Trade)]
            assert all(stands.bids[0][0] <= each <= stands.asks[0][0] for each in prices)
    assert passed + [entry.event for entry in moment.release()] == events
