from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import (
    Book,
    Event,
    Kind,
    MarketEvent,
    Pnl,
    Positions,
    Quote,
    Side,
    Trade,
)
from dashboard.protocols import sse
from tests.event_stream import Reader
from tests.unit.fakes import MS_NS, book, price, published, system, trade

encode = sse.encoder("e1")
NOON = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)
NOON_NS = (NOON - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
AT = "2026-11-20T12:00:00.000001Z"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(min_value=0, max_value=1e12, allow_nan=False)
levels = st.lists(st.tuples(numbers, numbers), max_size=4)
times = st.integers(0, 4_000_000_000 * 1_000 * MS_NS)
events: st.SearchStrategy[MarketEvent] = st.one_of(
    st.builds(Book, symbol=texts, exchange=texts, bids=levels, asks=levels, ts_event=times),
    st.builds(
        Quote,
        symbol=texts,
        exchange=texts,
        bid_price=st.none() | numbers,
        bid_size=numbers,
        ask_price=st.none() | numbers,
        ask_size=numbers,
        ts_event=times,
    ),
    st.builds(
        Trade,
        symbol=texts,
        exchange=texts,
        price=numbers,
        size=numbers,
        aggressor_side=st.sampled_from(Side),
        buyer=st.none() | texts,
        seller=st.none() | texts,
        ts_event=times,
    ),
)


def quote(**changes: float | None) -> Quote:
    fields = {"bid_price": 100.5, "bid_size": 2.0, "ask_price": 101.0, "ask_size": 0.25} | changes
    return Quote(symbol="BTC/USD", exchange="CRYPTO", ts_event=NOON_NS, **fields)  # pyright: ignore[reportArgumentType] - by keyword


def test_an_envelope_goes_out_as_it_came() -> None:
    envelope = '{"type":"trade","data":{"price":1.50},"timestamp":"…"}'
    event = Quote(
        symbol="AAPL",
        exchange="REDIS",
        bid_price=1.0,
        bid_size=1,
        ask_price=None,
        ask_size=0,
        ts_event=0,
        envelope=envelope,
    )
    assert encode(published(event, 7)) == f"id: e1:7\ndata: {envelope}\n\n"


def test_a_book_becomes_one_order_per_level() -> None:
    frame = encode(published(book(bids=((100.0, 1.0),), asks=((101.0, 0.5),), ts=NOON_NS), 42))
    order = '"instrument":"BTC/USD","leaves_qty":{},"price":{},"request_id":0,"side":"{}"'
    ask, bid = order.format(0.5, 101.0, "Sell"), order.format(1, 100.0, "Buy")
    assert frame == (
        "id: e1:42\n"
        'data: {"type":"orderbook_update","data":{"message_type":"OrderbookUpdate",'
        f'"instrument":"BTC/USD","timestamp":"{AT}",'
        f'"asks":[{{"client_name":"",{ask},"timestamp":"{AT}"}}],'
        f'"bids":[{{"client_name":"",{bid},"timestamp":"{AT}"}}]}},'
        f'"timestamp":"{AT}","instrument":"BTC/USD"}}\n\n'
    )


def test_a_quote_becomes_a_bbo_update() -> None:
    (event,) = Reader().feed(encode(published(quote(bid_price=None, bid_size=0))).encode())
    assert event.content == {
        "type": "bbo_update",
        "data": {
            "instrument": "BTC/USD",
            "timestamp": AT,
            "best_bid": None,
            "best_ask": 101.0,
            "best_bid_qty": 0,
            "best_ask_qty": 0.25,
        },
        "timestamp": AT,
        "instrument": "BTC/USD",
    }


def test_a_trade_says_what_is_known_of_it() -> None:
    (event,) = Reader().feed(encode(published(trade(size=2.0, ts=NOON_NS))).encode())
    assert event.content == {
        "type": "trade",
        "data": {
            "buyer": "",
            "buyer_order_id": 0,
            "instrument": "BTC/USD",
            "price": 45_000.5,
            "seller": "",
            "seller_order_id": 0,
            "timestamp": AT,
            "volume": 2,
        },
        "timestamp": AT,
        "instrument": "BTC/USD",
    }


@pytest.mark.parametrize(
    ("account", "content"),
    [
        (
            Positions(client="ann", exchange="X", positions={"A": 2.0, "B": -0.5}, ts_event=0),
            {"type": "position_update", "data": {"A": 2, "B": -0.5}},
        ),
        (
            Pnl(client="ann", exchange="X", pnl=-3.5, ts_event=0),
            {"type": "pnl_update", "data": {"pnl": -3.5}},
        ),
    ],
)
def test_accounts_name_the_client(account: Event, content: dict[str, object]) -> None:
    (event,) = Reader().feed(encode(published(account)).encode())
    assert event.content == content | {"timestamp": "1970-01-01T00:00:00Z", "client": "ann"}


@given(events, st.integers(1, 10**15))
def test_every_event_is_one_frame_with_its_id(event: MarketEvent, offset: int) -> None:
    (read,) = Reader().feed(encode(published(event, offset)).encode())
    assert (read.type, read.id) == ("message", f"e1:{offset}")
    assert read.content["instrument"] == event.symbol
    assert read.content["data"]["instrument"] == event.symbol


@given(levels, levels)
def test_orders_add_up_to_the_levels(
    bids: list[tuple[float, float]], asks: list[tuple[float, float]]
) -> None:
    event = book(bids=tuple(bids), asks=tuple(asks))
    (read,) = Reader().feed(encode(published(event)).encode())
    data = read.content["data"]
    assert [(each["price"], each["leaves_qty"]) for each in data["bids"]] == bids
    assert [(each["price"], each["leaves_qty"]) for each in data["asks"]] == asks
    assert {each["side"] for each in data["bids"]} <= {"Buy"}
    assert {each["side"] for each in data["asks"]} <= {"Sell"}


@given(st.lists(events, min_size=1, max_size=5), st.integers(1, 40))
def test_frames_may_be_joined_and_cut_anywhere(several: list[MarketEvent], length: int) -> None:
    frames = [encode(published(event, offset)) for offset, event in enumerate(several, 1)]
    stream = sse.HEARTBEAT.join(frames).encode()
    reader = Reader()
    read = [
        event
        for at in range(0, len(stream), length)
        for event in reader.feed(stream[at : at + length])
    ]
    assert [event.offset for event in read] == list(range(1, len(several) + 1))
    assert reader.comments == len(several) - 1


@pytest.mark.parametrize("size", [float("inf"), float("nan")])
def test_a_size_that_is_no_number_ends_no_stream(size: float) -> None:
    (event,) = Reader().feed(encode(published(trade(size=size))).encode())
    assert event.content["data"]["volume"] is None


@pytest.mark.parametrize("event", [price(), system()])
def test_what_is_not_carried_is_refused(event: Event) -> None:
    with pytest.raises(TypeError, match="/sse does not carry"):
        encode(published(event))


def test_a_historical_trade_is_not_carried() -> None:
    historical = Trade(
        symbol="A",
        exchange="X",
        price=1,
        size=1,
        aggressor_side=Side.BUY,
        historical=True,
        ts_event=0,
    )
    assert not sse.carries(historical)
    assert sse.carries(trade())


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 10**9))
def test_notices_have_no_id(reason: str, lagged: int) -> None:
    reset, warn = Reader().feed((sse.encode_reset(reason) + sse.encode_warn(lagged)).encode())
    assert (reset.type, reset.id, reset.content) == ("reset", "", {"reason": reason})
    assert (warn.type, warn.id, warn.content) == ("warn", "", {"lagged": lagged})


def test_kinds_are_told_apart() -> None:
    assert {Kind.BOOK, Kind.QUOTE, Kind.TRADE} == sse.INSTRUMENT_KINDS
    assert {Kind.POSITIONS, Kind.PNL} == sse.ACCOUNT_KINDS
