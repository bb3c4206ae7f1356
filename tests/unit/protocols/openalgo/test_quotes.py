import json
from typing import Any

import pytest

from dashboard.core.market_quote import MarketQuote
from dashboard.core.model import Event
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.protocols.openalgo.quotes import encode_data, serves
from tests.unit.fakes import MS_NS, book, open_interest, price, trade

# fmt: off
DOCUMENT = [
    "ltp", "open", "high", "low", "close", "volume", "bid", "ask", "bid_qty", "ask_qty",
    "oi", "prev_oi", "timestamp",
]
ALSO_READ = [
    "symbol", "exchange", "average_price", "avg_trade_price", "last_quantity",
    "last_trade_quantity", "change", "change_percent", "bid_price", "ask_price",
    "bid_size", "ask_size",
]
# fmt: on


def fold(*events: Event) -> MarketQuote:
    quote = MarketQuote(exchange="CRYPTO", symbol="BTC/USD")
    for event in events:
        quote.apply(event)
    return quote


def decoded(quote: MarketQuote, form: Form) -> dict[str, Any]:
    return json.loads(encode_data(quote, form, broker="simulator"))


def test_ltp_carries_the_price_alone() -> None:
    assert decoded(fold(price(value=99.5, ts=1_234 * MS_NS)), Form(Mode.LTP)) == {
        "type": "market_data",
        "symbol": "BTC/USD",
        "exchange": "CRYPTO",
        "mode": 1,
        "data": {"symbol": "BTC/USD", "exchange": "CRYPTO", "ltp": 99.5, "timestamp": 1234},
        "broker": "simulator",
    }


def test_a_quote_has_every_name_that_clients_read() -> None:
    quote = fold(book(), trade(value=100.0, size=2.0), price(value=110.0))
    frame = decoded(quote, Form(Mode.QUOTE))
    data = frame["data"]
    assert frame["mode"] == 2
    assert set(data) == {*DOCUMENT, *ALSO_READ}
    assert (data["open"], data["high"], data["low"], data["close"]) == (100, 110, 100, 100)
    assert data["volume"] == data["last_quantity"] == data["last_trade_quantity"] == 2
    assert isinstance(data["volume"], int)
    assert data["average_price"] == data["avg_trade_price"] == 100
    assert (data["change"], data["change_percent"]) == (10, 10)
    assert data["bid"] == data["bid_price"] == 100
    assert data["ask"] == data["ask_price"] == 101
    assert data["bid_qty"] == data["bid_size"] == 1
    assert data["ask_qty"] == data["ask_size"] == 3


def test_an_open_interest_is_a_whole_number_and_zero_for_what_has_none() -> None:
    quote = fold(price())
    data = decoded(quote, Form(Mode.QUOTE))["data"]
    assert (data["oi"], data["prev_oi"]) == (0, 0)
    quote.apply(open_interest(4_500_025.0, 4_500_000.0))
    data = decoded(quote, Form(Mode.DEPTH, 5))["data"]
    assert (data["oi"], data["prev_oi"]) == (4_500_025, 4_500_000)
    assert isinstance(data["oi"], int)
    assert "oi" not in decoded(quote, Form(Mode.LTP))["data"]


@pytest.mark.parametrize("levels", [5, 20, 30])
def test_depth_is_best_first_and_as_deep_as_asked(levels: int) -> None:
    deep = book(
        bids=tuple((100.0 - n, n + 0.5) for n in range(40)),
        asks=tuple((101.0 + n, n + 1.0) for n in range(40)),
    )
    data = decoded(fold(deep), Form(Mode.DEPTH, levels))["data"]
    assert set(data) == {*DOCUMENT, *ALSO_READ, "depth"}
    assert [each["price"] for each in data["depth"]["buy"]] == [100 - n for n in range(levels)]
    assert data["depth"]["sell"][1] == {"price": 102, "quantity": 2, "orders": 0}
    assert len(data["depth"]["sell"]) == levels


def test_what_is_unknown_is_zero_and_no_ltp_is_sent_without_a_price() -> None:
    quote = fold(book(bids=()))
    data = decoded(quote, Form(Mode.QUOTE))["data"]
    assert (data["ltp"], data["bid"], data["average_price"]) == (0, 0, 0)
    assert not serves(quote, Mode.LTP)
    assert serves(quote, Mode.DEPTH)
    quote.apply(price())
    assert serves(quote, Mode.LTP)


@pytest.mark.parametrize("mode", [Form(Mode.QUOTE), Form(Mode.DEPTH, 5)])
def test_what_is_beyond_all_numbers_is_unknown(mode: Form) -> None:
    quote = fold(*[trade(size=1e308, value=1e300)] * 2, open_interest(float("inf"), float("nan")))
    data = decoded(quote, mode)["data"]
    assert (data["volume"], data["average_price"], data["oi"], data["prev_oi"]) == (0, 0, 0, 0)
    assert data["last_quantity"] == 1e308


def test_a_change_beyond_all_numbers_is_unknown() -> None:
    quote = fold(price(value=-1.7e308), price(value=1.7e308))
    data = decoded(quote, Form(Mode.QUOTE))["data"]
    assert (data["change"], data["change_percent"]) == (0, 0)
