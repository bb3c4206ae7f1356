import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dashboard.core.market_quote import DAY_NS, MarketQuote
from dashboard.core.model import Event, PriceBasis, Quote
from tests.unit.fakes import SECOND_NS, book, open_interest, price, system, trade


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


def test_a_trade_and_the_price_derived_from_it_are_one_tick() -> None:
    quote = fold()
    assert quote.apply(trade(value=100.0, ts=5))
    assert not quote.apply(replace(price(value=100.0, ts=5), derived=True))
    assert quote.apply(price(value=101.0, ts=5))
    assert quote.apply(price(value=101.0, ts=6))


def mid(value: float, *, ts: int = 0) -> Event:
    return replace(price(value=value, volume=0, ts=ts), basis=PriceBasis.MID)


def test_last_high_and_low_are_those_of_trades_and_of_mids_until_the_first_one() -> None:
    quote = fold(mid(7.6), mid(7.9), mid(7.5))
    assert (quote.ltp, quote.high, quote.low) == (7.5, 7.9, 7.5)
    quote.apply(trade(value=7.612, size=2))
    assert not quote.apply(mid(8.0))
    quote.apply(trade(value=7.611, size=1))
    assert (quote.open, quote.high, quote.low, quote.ltp) == (7.612, 7.612, 7.611, 7.611)
    assert (quote.close, quote.volume) == (7.612, 3)


def test_a_trade_of_before_the_feed_was_connected_is_more_than_a_mid() -> None:
    quote = fold(mid(7.6), replace(trade(value=7.5), historical=True))
    assert (quote.ltp, quote.high) == (7.5, None)
    assert not quote.apply(mid(7.7))
    assert quote.ltp == 7.5


def test_a_new_day_begins_afresh_and_keeps_the_close() -> None:
    quote = fold(price(value=100.0), price(value=110.0, ts=1), price(value=121.0, ts=DAY_NS))
    assert (quote.open, quote.high, quote.low, quote.close) == (121, 121, 121, 110)
    assert quote.volume == 100
    assert (quote.change, quote.change_percent) == (11, 10)


YESTERDAY, TODAY = 19_000 * DAY_NS, 19_001 * DAY_NS
MIDNIGHT_MINUS_1S = TODAY - SECOND_NS


def test_a_late_trade_of_yesterday_moves_the_close_and_nothing_of_today() -> None:
    quote = fold(trade(value=50.0, ts=YESTERDAY))
    for value, second in ((100.0, 1), (120.0, 2)):
        quote.apply(trade(value=value, size=10, ts=TODAY + second * SECOND_NS))
    assert quote.close == 50
    assert quote.apply(trade(value=51.0, size=7, ts=MIDNIGHT_MINUS_1S)), "the close is new"
    assert not quote.apply(price(value=51.0, volume=7, ts=MIDNIGHT_MINUS_1S))
    assert not quote.apply(trade(value=49.0, size=7, ts=YESTERDAY + 1)), "not its day's last"
    assert (quote.ltp, quote.ts_event, quote.last_quantity) == (120, TODAY + 2 * SECOND_NS, 10)
    quote.apply(trade(value=110.0, size=5, ts=TODAY + 3 * SECOND_NS))
    assert (quote.open, quote.high, quote.low) == (100, 120, 100)
    assert (quote.volume, quote.close, quote.ltp) == (25, 51, 110)
    assert quote.average_price == (100 * 10 + 120 * 10 + 110 * 5) / 25
    assert quote.change == 59


def test_a_late_price_of_a_feed_without_trades_leaves_today_too() -> None:
    quote = fold(
        price(value=100.0, ts=TODAY), price(value=51.0, ts=MIDNIGHT_MINUS_1S), price(ts=TODAY)
    )
    assert (quote.volume, quote.open, quote.low, quote.close) == (200, 100, 100, 51)


def test_a_day_opens_with_its_earliest_price_and_counts_every_trade() -> None:
    quote = fold(trade(value=20.0, size=1, ts=TODAY + 9), trade(value=10.0, size=2, ts=TODAY + 5))
    assert (quote.open, quote.ltp, quote.low, quote.volume) == (10, 10, 10, 3)


def test_a_clock_that_is_set_over_midnight_and_back_loses_neither_day() -> None:
    quote = fold()

    def trade_at(ts: int, value: float) -> None:
        quote.apply(trade(value=value, size=1, ts=ts), received_ns=ts)

    hour = 3600 * SECOND_NS
    trade_at(TODAY - 30 * hour, 40.0)
    for ts, value in ((TODAY - hour, 50.0), (TODAY - hour + 1, 60.0)):
        trade_at(ts, value)
    trade_at(TODAY + hour, 99.0)
    assert (quote.open, quote.volume, quote.close) == (99, 1, 60)
    trade_at(TODAY - hour + 2, 55.0)
    assert (quote.open, quote.high, quote.low, quote.ltp) == (50, 60, 50, 55)
    assert (quote.volume, quote.close) == (3, 40)
    trade_at(TODAY + 2 * hour, 98.0)
    assert (quote.open, quote.low, quote.volume, quote.close) == (99, 98, 2, 55)


@given(
    st.lists(st.tuples(st.integers(0, 3 * 24), st.integers(1, 100), st.integers(1, 9)), min_size=1)
)
def test_day_statistics_in_whatever_order_are_those_of_the_newest_day(
    trades: list[tuple[int, int, int]],
) -> None:
    hour = 3600 * SECOND_NS
    quote = fold(*(trade(value=value, size=size, ts=at * hour) for at, value, size in trades))
    ordered = sorted(trades, key=lambda each: each[0])
    today = max(at for at, _, _ in trades) // 24
    of_today = [each for each in ordered if each[0] // 24 == today]
    before = [value for at, value, _ in ordered if at // 24 < today]
    prices = [value for _, value, _ in of_today]
    assert (quote.open, quote.high, quote.low) == (prices[0], max(prices), min(prices))
    assert quote.volume == sum(size for _, _, size in of_today)
    assert quote.close == (before[-1] if before else prices[0])
    assert quote.ltp == [value for at, value, _ in trades if at // 24 == today][-1]


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
