import json
from typing import Any

import pytest

from dashboard.core.errors import ParseError
from dashboard.core.model import Price, Side, Trade
from dashboard.feeds.parsing.changes import BookDelta, BookSnapshot
from dashboard.feeds.parsing.coinbase import EXCHANGE, parse_message

MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 280232,
    "maker_order_id": "2a0da34e-61f7-4c36-88e5-c9dd15927b16",
    "side": "sell",
    "size": "985",
    "price": "0.00001305",
    "product_id": "SKL-BTC",
    "sequence": 177100030,
    "time": "2021-04-17T16:43:37.089723Z",
}


def test_a_match_is_a_trade_by_the_side_that_met_the_maker() -> None:
    assert parse_message(json.dumps(MATCH), 7) == (
        Trade(
            symbol="SKL-BTC",
            exchange=EXCHANGE,
            price=0.00001305,
            size=985,
            aggressor_side=Side.BUY,
            ts_event=7,
        ),
    )
    bought = parse_message(json.dumps(MATCH | {"side": "buy"}), 7)
    assert bought is not None
    assert isinstance(bought[0], Trade)
    assert bought[0].aggressor_side is Side.SELL


def test_a_last_match_is_a_historical_trade() -> None:
    changes = parse_message(json.dumps(MATCH | {"type": "last_match"}), 7)
    assert changes is not None
    [trade] = changes
    assert isinstance(trade, Trade)
    assert trade.historical


def test_a_ticker_is_a_price_with_the_size_of_the_last_trade() -> None:
    ticker = {
        "type": "ticker",
        "product_id": "BAND-GBP",
        "price": "14.7775",
        "best_bid": "14.7550",
        "side": "buy",
        "last_size": "0.04",
    }
    assert parse_message(json.dumps(ticker), 7) == (
        Price(symbol="BAND-GBP", exchange=EXCHANGE, price=14.7775, volume=0.04, ts_event=7),
    )


def test_a_snapshot_is_the_whole_book() -> None:
    snapshot = {
        "type": "snapshot",
        "product_id": "BAND-GBP",
        "asks": [["14.8024", "12.77"], ["14.8069", "12.49"]],
        "bids": [],
    }
    assert parse_message(json.dumps(snapshot), 7) == (
        BookSnapshot(
            symbol="BAND-GBP",
            exchange=EXCHANGE,
            bids=(),
            asks=((14.8024, 12.77), (14.8069, 12.49)),
            ts_event=7,
        ),
    )


def test_an_update_is_a_delta_of_both_sides() -> None:
    update = {
        "type": "l2update",
        "product_id": "SKL-GBP",
        "changes": [["sell", "0.5767", "0.0"], ["buy", "0.5752", "3"]],
    }
    assert parse_message(json.dumps(update), 7) == (
        BookDelta(
            symbol="SKL-GBP",
            exchange=EXCHANGE,
            bids=[(0.5752, 3.0)],
            asks=[(0.5767, 0.0)],
            ts_event=7,
        ),
    )


@pytest.mark.parametrize("type_", ["subscriptions", "heartbeat"])
def test_known_messages_without_a_change_have_none(type_: str) -> None:
    assert parse_message(json.dumps({"type": type_, "channels": []}), 7) == ()


@pytest.mark.parametrize("text", ['{"type":"news"}', "{}", "[]", "3", '{"type":5}', '{"e":"x"}'])
def test_an_unknown_message_is_none(text: str) -> None:
    assert parse_message(text, 7) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"type":"match"}',
        '{"type":"l2update","product_id":"A","changes":[["up","1","1"]]}',
        '{"type":"l2update","product_id":"A","changes":[["buy","1"]]}',
        '{"type":"l2update","product_id":"A","changes":[["buy","NaN","1"]]}',
        '{"type":"l2update","product_id":"A","changes":[["buy","1","-1"]]}',
        '{"type":"l2update","product_id":"A","changes":[["buy","-1","1"]]}',
        '{"type":"l2update","product_id":"A","changes":[["buy","1","1e15"]]}',
        '{"type":"snapshot","product_id":"A","bids":[["1","1e308"]],"asks":[]}',
        '{"type":"ticker","product_id":"A","price":"0"}',
        '{"type":"ticker","product_id":"A","price":"9007199254740992"}',
        '{"type":"ticker","product_id":"A","price":"inf"}',
        '{"type":"ticker","product_id":"A","price":"cheap"}',
        '{"type":"ticker","product_id":"A","price":"1","last_size":"some"}',
    ],
)
def test_a_malformed_message_is_an_error(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_message(text, 7)
    assert caught.value.venue == EXCHANGE
