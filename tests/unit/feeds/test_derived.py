from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import Book, Event, Price, PriceLevel, Quote, Trade
from dashboard.feeds.derived import Derived
from dashboard.hub.hub import Hub
from tests.unit.fakes import Clock, book, price, system, trade

sides = st.lists(
    st.tuples(st.sampled_from([99.0, 100.0]), st.sampled_from([1.0, 2.0])), max_size=2
).map(tuple)


def run(*events: Event) -> list[Event]:
    seen: list[Event] = []
    hub = Hub(epoch="e", clock=Clock(), resume_events=1)

    def publish(event: Event) -> None:
        seen.append(event)
        hub.publish(event)

    derived = Derived(publish, hub.latest_of)
    for event in events:
        derived.publish(event)
    return seen


def made(*events: Event) -> list[Event]:
    """Give what was derived."""
    return [each for each in run(*events) if each not in events]


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
            derived=True,
            ts_event=7,
        ),
    ]


def test_a_trade_is_followed_by_the_price_that_it_makes() -> None:
    first, second = trade(value=10.25, size=3, ts=7), trade(value=10.5, size=2, ts=8)
    assert run(first, second) == [first, made_by(first), second, made_by(second)]


def test_what_was_traded_before_the_feed_was_connected_makes_no_price() -> None:
    assert made(replace(trade(), historical=True)) == []


def test_trades_of_a_feed_with_prices_of_its_own_are_left_alone() -> None:
    assert made(replace(trade(), priced=True)) == []


def test_prices_that_stand_beside_trades_pass_and_change_nothing() -> None:
    mid, traded = price(value=1.5, volume=0), trade(value=2.0)
    assert run(mid, traded) == [mid, traded, made_by(traded)]


def test_a_trade_and_the_price_that_it_makes_are_one_tick() -> None:
    quote = MarketQuote(exchange="CRYPTO", symbol="BTC/USD")
    events = run(trade(value=100.0, size=2, ts=5), trade(value=101.0, size=3, ts=5))
    assert [quote.apply(event) for event in events] == [True, False, True, False]
    assert (quote.ltp, quote.volume, quote.last_quantity) == (101, 5, 3)


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
            expected.append(replace(quote(each.symbol, *now), derived=True))
    assert run(*books) == expected


def test_other_events_pass_alone() -> None:
    events = [price(), quote("B", 1.0, 1.0, 2.0, 1.0), system()]
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


def made_by(traded: Trade) -> Price:
    return Price(
        symbol=traded.symbol,
        exchange=traded.exchange,
        price=traded.price,
        volume=traded.size,
        derived=True,
        ts_event=traded.ts_event,
    )


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
