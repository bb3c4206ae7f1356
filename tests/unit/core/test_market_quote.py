import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dashboard.core.market_quote import DAY_NS, MarketQuote
from dashboard.core.model import Event, Quote
from tests.unit.fakes import book, open_interest, price, system, trade


def fold(*events: Event) -> MarketQuote:
    quote = MarketQuote(exchange="CRYPTO", symbol="BTC/USD")
    for event in events:
        quote.apply(event)
    return quote


def test_nothing_is_known_at_first() -> None:
    quote = fold()
    assert (quote.ltp, quote.close, quote.change, quote.change_percent) == (None,) * 4
    assert quote.average_price is None


@given(st.lists(st.floats(0.01, 1e6), min_size=1))
def test_open_high_low_and_last_are_those_of_the_prices(values: list[float]) -> None:
    quote = fold(*(price(value=value) for value in values))
    assert (quote.open, quote.ltp) == (values[0], values[-1])
    assert (quote.high, quote.low) == (max(values), min(values))
    assert quote.change == values[-1] - values[0]


def test_volume_and_average_are_of_the_trades_where_there_are_any() -> None:
    quote = fold(price(volume=700))
    assert quote.volume == 700
    for event in (trade(value=100.0, size=1.0), price(volume=900), trade(value=106.0, size=2.0)):
        quote.apply(event)
    assert (quote.volume, quote.average_price, quote.last_quantity) == (3, 104, 2)


def test_a_trade_and_the_price_that_follows_it_are_one_tick() -> None:
    quote = fold()
    assert quote.apply(trade(value=100.0, ts=5))
    assert not quote.apply(price(value=100.0, ts=5))
    assert quote.apply(price(value=101.0, ts=5))
    assert quote.apply(price(value=101.0, ts=6))


def test_a_new_day_begins_afresh_and_keeps_the_close() -> None:
    quote = fold(price(value=100.0), price(value=110.0, ts=1), price(value=121.0, ts=DAY_NS))
    assert (quote.open, quote.high, quote.low, quote.close) == (121, 121, 121, 110)
    assert quote.volume == 100
    assert (quote.change, quote.change_percent) == (11, 10)


@pytest.mark.parametrize("close", [0.0, -37.63])
def test_a_change_has_no_percentage_of_a_close_that_is_not_above_zero(close: float) -> None:
    quote = fold(price(value=close), price(value=-10.0, ts=DAY_NS))
    assert (quote.ltp, quote.close, quote.change) == (-10, close, -10 - close)
    assert quote.change_percent is None


def test_a_day_below_zero_has_its_high_above_its_low() -> None:
    quote = fold(trade(value=-2.0, size=1), trade(value=-37.63, size=3), trade(value=0.0, size=1))
    assert (quote.open, quote.high, quote.low, quote.ltp) == (-2, 0, -37.63, 0)
    assert quote.average_price == pytest.approx((-2 - 3 * 37.63) / 5)


def test_a_quote_that_repeats_the_book_is_nothing_new() -> None:
    quote = fold(book())
    best = Quote(
        symbol="BTC/USD",
        exchange="CRYPTO",
        bid_price=100.0,
        bid_size=1.0,
        ask_price=101.0,
        ask_size=3.0,
        ts_event=5,
    )
    assert not quote.apply(best)
    assert quote.ts_event == 0
    assert quote.apply(replace(best, bid_size=9.0))
    assert (quote.bid_size, quote.ts_event) == (9, 5)


def test_an_empty_side_has_no_best() -> None:
    quote = fold(book(), book(bids=()))
    assert (quote.bid_price, quote.bid_size, quote.ask_price) == (None, 0, 101)


def test_what_happened_before_counts_in_nothing() -> None:
    quote = fold()
    historical = replace(trade(value=90.0), historical=True)
    assert quote.apply(historical)
    assert (quote.ltp, quote.volume, quote.open) == (90, 0, None)
    quote.apply(price(value=95.0))
    assert not quote.apply(historical)
    assert quote.ltp == 95


def test_an_open_interest_is_the_sources_over_midnight_too() -> None:
    quote = fold(price(), open_interest(500, 450, ts=7), price(ts=DAY_NS))
    assert (quote.open_interest, quote.previous_open_interest) == (500, 450)
    assert quote.apply(open_interest(525, 500, ts=DAY_NS + 1))
    assert (quote.open_interest, quote.previous_open_interest) == (525, 500)
    assert (quote.ts_event, quote.volume) == (DAY_NS + 1, 100)


def test_other_events_say_nothing() -> None:
    assert not fold().apply(system())
