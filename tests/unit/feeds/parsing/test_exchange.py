import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import ParseError
from dashboard.core.instruments import Instrument
from dashboard.core.model import Book, Event, Kind, Pnl, Positions, Price, Quote, Side, Theo, Trade
from dashboard.feeds.parsing.exchange import BOOK_LEVELS, ExchangeParser, parse_theo
from dashboard.feeds.parsing.exchange_messages import Cause
from tests.redis_server import INSTRUMENTS

TIME = "2026-01-05T09:30:00.125Z"
TS = 1_767_605_400_125_000_000
LATER = "2026-01-05T09:30:00.126Z"
NOW = TS + 5_000_000


def order(price: float, quantity: float, side: str = "Buy") -> dict[str, Any]:
    return {
        "client_name": "Alice B",
        "instrument": "AAPL",
        "leaves_qty": quantity,
        "price": price,
        "request_id": 7,
        "side": side,
        "timestamp": TIME,
    }


BOOK = {
    "message_type": "OrderbookUpdate",
    "instrument": "AAPL",
    "timestamp": TIME,
    "asks": [order(10.5, 3, "Sell"), order(10.25, 1, "Sell"), order(10.5, 4, "Sell")],
    "bids": [order(9.5, 2), order(10, 5), order(10, 6), order(9, 0)],
}
QUOTE = {
    "instrument": "AAPL",
    "timestamp": TIME,
    "best_bid": 10,
    "best_ask": 10.25,
    "best_bid_qty": 11,
    "best_ask_qty": 1,
}
TRADE = {
    "buyer": "alice",
    "buyer_order_id": 1,
    "instrument": "AAPL",
    "price": 10.25,
    "seller": "bob",
    "seller_order_id": 2,
    "timestamp": TIME,
    "volume": 3,
}


def envelope(type_: str, data: object, **more: object) -> dict[str, Any]:
    return {"type": type_, "data": data, "timestamp": LATER, **more}


def compact(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


EVERY_TYPE = {
    "orderbook_update": envelope("orderbook_update", BOOK, instrument="AAPL"),
    "bbo_update": envelope("bbo_update", QUOTE, instrument="AAPL"),
    "trade": envelope("trade", TRADE, instrument="AAPL"),
    "position_update": envelope("position_update", {"AAPL": 100, "GOOGL": -50}, client="alice"),
    "pnl_update": envelope("pnl_update", {"pnl": 1234.56}, client="alice"),
}


def parser() -> ExchangeParser:
    return ExchangeParser(INSTRUMENTS)


def parse(message: object) -> list[Event]:
    return list(parser().parse_message(compact(message)))


def cause_of(raw: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        parser().parse_message(raw)
    assert len(str(caught.value)) < 300
    return caught.value.cause


def test_orders_become_levels_summed_per_price_and_best_first() -> None:
    message = EVERY_TYPE["orderbook_update"]
    assert parse(message) == [
        Book(
            symbol="AAPL",
            exchange="REDIS",
            bids=((10.0, 11.0), (9.5, 2.0)),
            asks=((10.25, 1.0), (10.5, 7.0)),
            envelope=compact(message).decode(),
            ts_event=TS,
        )
    ]


def test_a_crossed_book_is_the_exchanges_truth() -> None:
    data = BOOK | {"bids": [order(11, 1)], "asks": [order(10, 1, "Sell")]}
    (book,) = parse(envelope("orderbook_update", data))
    assert isinstance(book, Book)
    assert (book.bids, book.asks) == (((11.0, 1.0),), ((10.0, 1.0),))


def test_a_book_may_be_empty() -> None:
    (book,) = parse(envelope("orderbook_update", BOOK | {"bids": [], "asks": []}))
    assert isinstance(book, Book)
    assert (book.bids, book.asks) == ((), ())


def test_a_quote() -> None:
    message = EVERY_TYPE["bbo_update"]
    assert parse(message) == [
        Quote(
            symbol="AAPL",
            exchange="REDIS",
            bid_price=10.0,
            bid_size=11.0,
            ask_price=10.25,
            ask_size=1.0,
            envelope=compact(message).decode(),
            ts_event=TS,
        )
    ]


@pytest.mark.parametrize(
    ("price", "quantity"), [(None, None), (None, 5), (10, None), (10, 0), (0, 0), (-1, 0)]
)
def test_a_side_of_a_quote_may_be_empty(price: float | None, quantity: float | None) -> None:
    data = QUOTE | {"best_bid": price, "best_bid_qty": quantity}
    (quote,) = parse(envelope("bbo_update", data))
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.bid_size) == (None, 0)
    assert (quote.ask_price, quote.ask_size) == (10.25, 1)


def test_a_trade_names_its_clients_and_keeps_its_envelope() -> None:
    message = EVERY_TYPE["trade"]
    assert parse(message) == [
        Trade(
            symbol="AAPL",
            exchange="REDIS",
            price=10.25,
            size=3.0,
            aggressor_side=Side.BUY,
            buyer="alice",
            seller="bob",
            envelope=compact(message).decode(),
            ts_event=TS,
        ),
    ]


@pytest.mark.parametrize("type_", ["orderbook_update", "bbo_update"])
def test_books_and_quotes_tell_who_began_a_trade(type_: str) -> None:
    reading = parser()
    sides: list[Side] = []
    for price in (10, 10.25, 10):
        reading.parse_message(compact(EVERY_TYPE[type_]))
        (trade,) = reading.parse_message(compact(envelope("trade", TRADE | {"price": price})))
        assert isinstance(trade, Trade)
        sides.append(trade.aggressor_side)
    assert sides == [Side.SELL, Side.BUY, Side.SELL]


def test_positions_and_pnl_are_of_a_client() -> None:
    message = EVERY_TYPE["position_update"]
    assert parse(message) == [
        Positions(
            client="alice",
            exchange="REDIS",
            positions={"AAPL": 100.0, "GOOGL": -50.0},
            envelope=compact(message).decode(),
            ts_event=TS + 1_000_000,
        )
    ]
    message = EVERY_TYPE["pnl_update"]
    assert parse(message) == [
        Pnl(
            client="alice",
            exchange="REDIS",
            pnl=1234.56,
            envelope=compact(message).decode(),
            ts_event=TS + 1_000_000,
        )
    ]


def test_the_exchange_is_the_one_that_all_instruments_name() -> None:
    named = [Instrument(symbol="AAPL", exchange="SIM", tick_size=0.01)]
    reading = ExchangeParser(named)
    events = [reading.parse_message(compact(each))[0] for each in EVERY_TYPE.values()]
    assert {event.topic.exchange for event in events} == {"SIM"}
    reading = ExchangeParser([*named, *INSTRUMENTS[1:]])
    (pnl,) = reading.parse_message(compact(EVERY_TYPE["pnl_update"]))
    assert pnl.topic.exchange == "REDIS"


@pytest.mark.parametrize("where", ["envelope", "data", "both"])
def test_the_instrument_stands_in_the_envelope_or_in_its_data(where: str) -> None:
    data = {name: value for name, value in QUOTE.items() if name != "instrument"}
    named = {"instrument": "AAPL/DEC"}
    message = envelope("bbo_update", data | (named if where != "envelope" else {}))
    (quote,) = parse(message | (named if where != "data" else {}))
    assert quote.topic.subject == "AAPL/DEC"


def test_without_a_time_in_the_data_the_envelopes_counts() -> None:
    data = {name: value for name, value in QUOTE.items() if name != "timestamp"}
    (quote,) = parse(envelope("bbo_update", data))
    assert quote.ts_event == TS + 1_000_000


@pytest.mark.parametrize("type_", EVERY_TYPE)
def test_the_envelope_is_what_was_published(type_: str) -> None:
    message = EVERY_TYPE[type_]
    raw = compact(message)
    event = parser().parse_message(raw)[0]
    assert event.envelope == raw.decode()  # pyright: ignore[reportAttributeAccessIssue] - all have one
    for spaced in (json.dumps(message).encode(), json.dumps(message, indent=2).encode() + b"\r\n"):
        again = parser().parse_message(spaced)[0]
        assert again == event


def test_compacting_keeps_order_numbers_escapes_and_the_spaces_in_texts() -> None:
    raw = (
        '{ "timestamp": "2026-01-05T09:30:00Z",\n "client" : "Zoë \\u00eb \\/ B",'
        '\t"x": [1.50, 1e5, -0, 123456789012345678901234567890.10],\r\n'
        ' "type": "pnl_update", "data": {"pnl": 10.00} }\n'
    )
    (pnl,) = parser().parse_message(raw.encode())
    assert isinstance(pnl, Pnl)
    assert pnl.client == "Zoë ë / B"
    assert pnl.envelope == (
        '{"timestamp":"2026-01-05T09:30:00Z","client":"Zoë \\u00eb \\/ B",'
        '"x":[1.50,1e5,-0,123456789012345678901234567890.10],'
        '"type":"pnl_update","data":{"pnl":10.00}}'
    )


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"", Cause.MALFORMED),
        (b"garbage", Cause.MALFORMED),
        (b'{"type":"trade"', Cause.MALFORMED),
        (b'{"type":"pnl_update","client":"a","data":{"pnl":NaN}}', Cause.MALFORMED),
        (b'{"data":' + b"[" * 100_000, Cause.MALFORMED),
        (b"\xff\xfe", Cause.MALFORMED),
        (compact(EVERY_TYPE["pnl_update"])[:-1] + b',"x":"\xff"}', Cause.MALFORMED),
        (compact(EVERY_TYPE["pnl_update"])[:-1] + b',"x":"a\nb"}', Cause.MALFORMED),
        (b"[]", Cause.ENVELOPE),
        (b'"trade"', Cause.ENVELOPE),
        (b"{}", Cause.ENVELOPE),
        (compact({"type": "trade", "timestamp": TIME}), Cause.ENVELOPE),
        (compact({"type": "trade", "data": TRADE}), Cause.ENVELOPE),
        (compact({"type": 7, "data": TRADE, "timestamp": TIME}), Cause.ENVELOPE),
        (compact(envelope("trade", TRADE, instrument=7)), Cause.ENVELOPE),
        (compact(envelope("heartbeat", {})), Cause.TYPE),
        (compact(envelope("x" * 5000, {})), Cause.TYPE),
        (compact(envelope("trade", TRADE | {"instrument": None})), Cause.NO_INSTRUMENT),
        (compact(envelope("bbo_update", QUOTE | {"instrument": ""})), Cause.NO_INSTRUMENT),
        (compact(envelope("trade", TRADE, instrument="MSFT")), Cause.INSTRUMENT),
        (compact(envelope("trade", TRADE | {"instrument": "X" * 5000})), Cause.INSTRUMENT),
        (compact(envelope("trade", TRADE, instrument="GOOGL")), Cause.DATA),
        (compact(envelope("trade", None)), Cause.DATA),
        (compact(envelope("trade", [TRADE])), Cause.DATA),
        (compact(envelope("trade", TRADE | {"price": "10"})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"price": 1e300})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"price": 2**53})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"price": -(2**53)})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"volume": 0})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"volume": -1})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"volume": 10**15})), Cause.DATA),
        (compact(envelope("trade", TRADE)).replace(b"10.25", b"1e999"), Cause.DATA),
        (compact(envelope("bbo_update", {"instrument": "AAPL"})), Cause.DATA),
        (compact(envelope("bbo_update", QUOTE | {"best_bid": -(2**53)})), Cause.DATA),
        (compact(envelope("bbo_update", QUOTE | {"best_bid_qty": -1})), Cause.DATA),
        (compact(envelope("bbo_update", QUOTE | {"best_ask_qty": 10**15})), Cause.DATA),
        (compact(envelope("orderbook_update", BOOK | {"bids": None})), Cause.DATA),
        (compact(envelope("orderbook_update", BOOK | {"bids": [order(10, -1)]})), Cause.DATA),
        (compact(envelope("orderbook_update", BOOK | {"bids": [order(10, 10**15)]})), Cause.DATA),
        (compact(envelope("orderbook_update", BOOK | {"bids": [order(2**53, 1)]})), Cause.DATA),
        (compact(envelope("orderbook_update", BOOK | {"asks": [{"price": 1}]})), Cause.DATA),
        (compact(envelope("trade", TRADE | {"timestamp": "noon"})), Cause.TIMESTAMP),
        (
            compact(envelope("pnl_update", {"pnl": 1}, client="a") | {"timestamp": "1"}),
            Cause.TIMESTAMP,
        ),
        (compact(envelope("pnl_update", {"pnl": 1})), Cause.NO_CLIENT),
        (compact(envelope("position_update", {"AAPL": 1}, client="")), Cause.NO_CLIENT),
        (compact(envelope("pnl_update", {"pnl": None}, client="a")), Cause.DATA),
        (compact(envelope("pnl_update", {}, client="a")), Cause.DATA),
        (compact(envelope("position_update", {"AAPL": "1"}, client="a")), Cause.DATA),
        (compact(envelope("position_update", {"AAPL": 1e15}, client="a")), Cause.DATA),
        (compact(envelope("position_update", {"AAPL": -1e308}, client="a")), Cause.DATA),
        (
            compact(envelope("position_update", {str(n): 1 for n in range(10_001)}, client="a")),
            Cause.DATA,
        ),
        (compact(envelope("pnl_update", {"pnl": 1e308}, client="a")), Cause.DATA),
    ],
)
def test_what_is_of_no_use_has_its_cause(raw: bytes, cause: Cause) -> None:
    assert cause_of(raw) == cause


@pytest.mark.parametrize(
    ("kind", "type_", "data"),
    [(Kind.BOOK, "orderbook_update", BOOK), (Kind.QUOTE, "bbo_update", QUOTE)],
)
def test_a_key_gives_the_event_with_an_envelope_around_it(
    kind: Kind, type_: str, data: dict[str, Any]
) -> None:
    (event,) = parser().parse_stored(kind, "AAPL", json.dumps(data).encode(), NOW)
    (published,) = parse(EVERY_TYPE[type_] | {"timestamp": TIME})
    assert event == published


@pytest.mark.parametrize(
    ("kind", "type_"), [(Kind.BOOK, "orderbook_update"), (Kind.QUOTE, "bbo_update")]
)
def test_a_key_may_hold_the_whole_message(kind: Kind, type_: str) -> None:
    raw = compact(EVERY_TYPE[type_])
    assert list(parser().parse_stored(kind, "AAPL", raw, NOW)) == parse(EVERY_TYPE[type_])


def test_a_key_without_a_time_is_of_now() -> None:
    data = {name: value for name, value in QUOTE.items() if name != "timestamp"}
    (quote,) = parser().parse_stored(Kind.QUOTE, "AAPL", compact(data), NOW)
    assert isinstance(quote, Quote)
    assert quote.ts_event == NOW
    assert quote.envelope is not None
    assert json.loads(quote.envelope)["timestamp"] == "2026-01-05T09:30:00.130000Z"


def test_the_last_trade_is_a_price_without_volume() -> None:
    price = Price(symbol="AAPL", exchange="REDIS", price=10.25, volume=0.0, ts_event=NOW)
    for text in (b"10.25", b'"10.25"', b"10.25\n"):
        assert list(parser().parse_stored(Kind.PRICE, "AAPL", text, NOW)) == [price]


@pytest.mark.parametrize(
    ("kind", "text", "cause"),
    [
        (Kind.PRICE, b"", Cause.DATA),
        (Kind.PRICE, b"nan", Cause.DATA),
        (Kind.PRICE, b"9007199254740992", Cause.DATA),
        (Kind.PRICE, b"-1e300", Cause.DATA),
        (Kind.BOOK, b"", Cause.MALFORMED),
        (Kind.BOOK, b"[]", Cause.DATA),
        (Kind.BOOK, b"{}", Cause.DATA),
        (Kind.BOOK, compact(BOOK | {"instrument": "GOOGL"}), Cause.DATA),
        (Kind.BOOK, compact(EVERY_TYPE["bbo_update"]), Cause.DATA),
        (Kind.QUOTE, compact(EVERY_TYPE["trade"]), Cause.DATA),
    ],
)
def test_a_key_of_no_use_has_its_cause(kind: Kind, text: bytes, cause: Cause) -> None:
    with pytest.raises(ParseError) as caught:
        parser().parse_stored(kind, "AAPL", text, NOW)
    assert caught.value.cause == cause


def test_a_message_in_a_key_must_be_of_the_keys_instrument() -> None:
    with pytest.raises(ParseError) as caught:
        parser().parse_stored(Kind.QUOTE, "GOOGL", compact(EVERY_TYPE["bbo_update"]), NOW)
    assert caught.value.cause == Cause.DATA


def test_a_theoretical_price_may_be_any_number_that_a_price_may_be() -> None:
    for text, price in ((b"189.5", 189.5), (b'"-3"', -3.0), (b"0", 0.0)):
        (theo,) = parse_theo("REDIS", "AAPL_STOCK", text, NOW)
        assert theo == Theo(underlying="AAPL_STOCK", exchange="REDIS", price=price, ts_event=NOW)
    for text in (b"?", b"1e308", b"-9007199254740992", b"1" * 5000):
        with pytest.raises(ParseError):
            parse_theo("REDIS", "AAPL_STOCK", text, NOW)


@pytest.mark.parametrize("price", [-37.63, 0, -0.01, -(2**53 - 1), 2**53 - 1, 1e-15, -1e-15])
def test_a_price_may_be_on_either_side_of_zero(price: float) -> None:
    (trade,) = parse(envelope("trade", TRADE | {"price": price}))
    assert isinstance(trade, Trade)
    assert trade.price == price
    (quote,) = parse(envelope("bbo_update", QUOTE | {"best_bid": price, "best_ask": price}))
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.bid_size, quote.ask_price) == (price, 11, price)
    data = BOOK | {"bids": [order(price, 3), order(-(2.0**52), 2)], "asks": []}
    (book,) = parse(envelope("orderbook_update", data))
    assert isinstance(book, Book)
    assert set(book.bids) == {(price, 3.0), (-(2.0**52), 2.0)}
    assert book.bids == tuple(sorted(book.bids, reverse=True))
    (stored,) = parser().parse_stored(Kind.PRICE, "AAPL", str(price).encode(), NOW)
    assert isinstance(stored, Price)
    assert stored.price == price


def test_a_side_is_empty_by_its_quantity_not_by_its_price() -> None:
    (quote,) = parse(envelope("bbo_update", QUOTE | {"best_bid": 0, "best_bid_qty": 4}))
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.bid_size) == (0, 4)


def test_a_spread_below_zero_tells_who_began_a_trade() -> None:
    reading = parser()
    quote = QUOTE | {"best_bid": -2, "best_ask": -1}
    reading.parse_message(compact(envelope("bbo_update", quote)))
    for price, side in ((-1, Side.BUY), (-2, Side.SELL)):
        trade = reading.parse_message(compact(envelope("trade", TRADE | {"price": price})))[0]
        assert isinstance(trade, Trade)
        assert trade.aggressor_side is side


@pytest.mark.parametrize("type_", EVERY_TYPE)
def test_a_longer_message_is_refused_before_it_is_decoded(type_: str) -> None:
    raw = compact(EVERY_TYPE[type_])
    assert ExchangeParser(INSTRUMENTS, max_bytes=len(raw)).parse_message(raw)
    for longer in (raw + b" ", b"?" * (len(raw) + 1)):
        with pytest.raises(ParseError) as caught:
            ExchangeParser(INSTRUMENTS, max_bytes=len(raw)).parse_message(longer)
        assert caught.value.cause == Cause.TOO_LARGE


@pytest.mark.parametrize(("kind", "data"), [(Kind.BOOK, BOOK), (Kind.QUOTE, QUOTE)])
def test_a_longer_key_is_refused_before_it_is_decoded(kind: Kind, data: object) -> None:
    raw = compact(data)
    reading = ExchangeParser(INSTRUMENTS, max_bytes=len(raw))
    assert reading.parse_stored(kind, "AAPL", raw, NOW)
    for which in (kind, Kind.PRICE):
        with pytest.raises(ParseError) as caught:
            reading.parse_stored(which, "AAPL", b" " * max(401, len(raw) + 1), NOW)
        assert caught.value.cause == Cause.TOO_LARGE


def test_of_a_deep_book_the_best_levels_are_taken_and_the_envelope_has_all() -> None:
    bids = [order(10_000 - number / 4, 1) for number in range(3000)]
    asks = [order(10_001 + number / 4, 1, "Sell") for number in range(3000)]
    message = envelope("orderbook_update", BOOK | {"bids": bids[::-1], "asks": asks[::-1]})
    (book,) = parse(message)
    assert isinstance(book, Book)
    assert book.bids == tuple((each["price"], 1.0) for each in bids[:BOOK_LEVELS])
    assert book.asks == tuple((each["price"], 1.0) for each in asks[:BOOK_LEVELS])
    assert book.envelope == compact(message).decode()


@given(st.binary())
def test_any_bytes_are_refused_or_understood(raw: bytes) -> None:
    for attempt in (
        lambda: parser().parse_message(raw),
        lambda: parser().parse_stored(Kind.BOOK, "AAPL", raw, NOW),
        lambda: parser().parse_stored(Kind.QUOTE, "AAPL", raw, NOW),
        lambda: parser().parse_stored(Kind.PRICE, "AAPL", raw, NOW),
        lambda: parse_theo("REDIS", "AAPL_STOCK", raw, NOW),
    ):
        with suppress(ParseError):
            attempt()


@given(st.data())
def test_damage_anywhere_is_refused_or_understood(data: st.DataObject) -> None:
    message = bytearray(compact(data.draw(st.sampled_from(list(EVERY_TYPE.values())))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
    with suppress(ParseError):
        event = parser().parse_message(bytes(message))[0]
        text = event.envelope  # pyright: ignore[reportAttributeAccessIssue] - all have one
        assert "\n" not in text
        assert "\r" not in text
        msgspec.json.decode(text)


orders = st.lists(
    st.tuples(st.floats(0.01, 1e6, allow_nan=False), st.integers(0, 10**6)), max_size=20
)


@given(orders, orders)
def test_no_quantity_is_lost_in_a_book(
    bids: list[tuple[float, int]], asks: list[tuple[float, int]]
) -> None:
    data = BOOK | {"bids": [order(*each) for each in bids], "asks": [order(*each) for each in asks]}
    (book,) = parse(envelope("orderbook_update", data))
    assert isinstance(book, Book)
    for levels, given_orders in ((book.bids, bids), (book.asks, asks)):
        assert sum(size for _, size in levels) == sum(quantity for _, quantity in given_orders)
        assert len({price for price, _ in levels}) == len(levels)
        assert all(size > 0 for _, size in levels)
    assert list(book.bids) == sorted(book.bids, reverse=True)
    assert list(book.asks) == sorted(book.asks)
