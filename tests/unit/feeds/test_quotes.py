from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import Book, Event, PriceLevel, Quote
from dashboard.feeds.quotes import DerivedQuotes
from tests.unit.fakes import book, price, trade

sides = st.lists(
    st.tuples(st.sampled_from([99.0, 100.0]), st.sampled_from([1.0, 2.0])), max_size=2
).map(tuple)


def run(*events: Event) -> list[Event]:
    seen: list[Event] = []
    quotes = DerivedQuotes(seen.append)
    for event in events:
        quotes.publish(event)
    return seen


def top(levels: tuple[PriceLevel, ...]) -> tuple[float | None, float]:
    return levels[0] if levels else (None, 0.0)


def test_a_book_is_followed_by_its_best_prices() -> None:
    event = book(bids=((100.0, 1.0), (99.0, 2.0)), asks=(), ts=7)
    assert run(event) == [
        event,
        Quote(
            symbol="BTC/USD",
            exchange="CRYPTO",
            bid_price=100.0,
            bid_size=1.0,
            ask_price=None,
            ask_size=0.0,
            ts_event=7,
        ),
    ]


@given(st.lists(st.tuples(st.sampled_from("AB"), sides, sides), max_size=20))
def test_a_quote_comes_exactly_when_the_best_has_changed(
    updates: list[tuple[str, tuple[PriceLevel, ...], tuple[PriceLevel, ...]]],
) -> None:
    books = [book(symbol, bids=bids, asks=asks) for symbol, bids, asks in updates]
    expected: list[Event] = []
    best: dict[str, object] = {}
    for each in books:
        expected.append(each)
        now = (*top(tuple(each.bids)), *top(tuple(each.asks)))
        if best.get(each.symbol) != now:
            best[each.symbol] = now
            expected.append(quote(each.symbol, *now))
    assert run(*books) == expected


def test_other_events_pass_alone() -> None:
    events = [price(), trade()]
    assert run(*events) == events


def test_books_of_an_exchange_with_envelopes_are_left_alone() -> None:
    event = Book(symbol="A", exchange="X", bids=((1, 1),), asks=(), envelope="{}", ts_event=0)
    assert run(event) == [event]


def test_partial_books_are_left_alone() -> None:
    event = Book(symbol="A", exchange="X", bids=((1, 1),), asks=(), partial=True, ts_event=0)
    assert run(event) == [event]


def test_an_instrument_whose_feed_quotes_is_left_alone() -> None:
    own, event, other = quote("A", 1.0, 1.0, 2.0, 1.0), book("A"), book("B")
    assert run(own, event, other)[:3] == [own, event, other]
    assert len(run(own, event, other)) == 4


def quote(
    symbol: str,
    bid_price: float | None,
    bid_size: float,
    ask_price: float | None,
    ask_size: float,
) -> Quote:
    return Quote(
        symbol=symbol,
        exchange="CRYPTO",
        bid_price=bid_price,
        bid_size=bid_size,
        ask_price=ask_price,
        ask_size=ask_size,
        ts_event=0,
    )
