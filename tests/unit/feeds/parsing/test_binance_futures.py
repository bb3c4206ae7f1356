import json
from typing import Any

import pytest

from dashboard.core.errors import ParseError
from dashboard.core.model import Side, Trade
from dashboard.feeds.parsing.binance_futures import EXCHANGE, parse_message
from dashboard.feeds.parsing.changes import BookDelta, QuoteChange


def envelope(**data: Any) -> str:
    return json.dumps({"stream": "akrousdt@any", "data": data})


def trade(*, buyer_is_maker: bool) -> str:
    return envelope(
        e="aggTrade", E=1, a=16599292, s="CTKUSDT", p="1.01100", q="10", m=buyer_is_maker
    )


@pytest.mark.parametrize(("buyer_is_maker", "side"), [(True, Side.SELL), (False, Side.BUY)])
def test_an_aggregate_trade_is_a_trade(buyer_is_maker: bool, side: Side) -> None:
    assert parse_message(trade(buyer_is_maker=buyer_is_maker), 7) == (
        Trade(
            symbol="CTKUSDT",
            exchange=EXCHANGE,
            price=1.011,
            size=10,
            aggressor_side=side,
            ts_event=7,
        ),
    )


def test_a_book_ticker_is_a_quote() -> None:
    text = envelope(e="bookTicker", u=600, s="SUSHIUSDT", b="7.6110", B="2", a="7.6120", A="297")
    quote = QuoteChange(
        symbol="SUSHIUSDT", exchange=EXCHANGE, bid_price=7.611, ask_price=7.612, ts_event=7
    )
    assert parse_message(text, 7) == (quote,)


def test_a_depth_update_is_a_numbered_delta() -> None:
    text = envelope(e="depthUpdate", s="AKROUSDT", U=5, u=9, pu=4, b=[], a=[["0.01737", "437848"]])
    assert parse_message(text, 7) == (
        BookDelta(
            symbol="AKROUSDT",
            exchange=EXCHANGE,
            bids=(),
            asks=((0.01737, 437848.0),),
            previous=4,
            last=9,
            ts_event=7,
        ),
    )


def test_a_kline_is_known_and_left_out() -> None:
    assert parse_message(envelope(e="kline", s="CTKUSDT", k={}), 7) == ()


@pytest.mark.parametrize(
    "text",
    [
        envelope(e="markPriceUpdate", s="CTKUSDT"),
        envelope(),
        '{"result":null,"id":1}',
        '{"stream":"x","data":[]}',
        '{"type":"ticker"}',
        "[]",
    ],
)
def test_an_unknown_message_is_none(text: str) -> None:
    assert parse_message(text, 7) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        envelope(e="bookTicker", s="CTKUSDT"),
        envelope(e="bookTicker", s="CTKUSDT", b="0", a="1"),
        envelope(e="bookTicker", s="CTKUSDT", b="-1", a="1"),
        envelope(e="bookTicker", s="CTKUSDT", b="1", a="9007199254740992"),
        envelope(e="aggTrade", s="CTKUSDT", p="-1", q="1", m=True),
        envelope(e="aggTrade", s="CTKUSDT", p="1", q="-1", m=True),
        envelope(e="aggTrade", s="CTKUSDT", p="1", q="1e15", m=True),
        envelope(e="depthUpdate", s="CTKUSDT", u=1, pu=0, b=[["1", "1e15"]], a=[]),
        envelope(e="aggTrade", s="CTKUSDT", p="1", q="1", m="yes"),
        envelope(e="depthUpdate", s="CTKUSDT", u=1, pu=0, b=[["1"]], a=[]),
        envelope(e="depthUpdate", s="CTKUSDT", u=1, b=[], a=[]),
    ],
)
def test_a_malformed_message_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_message(text, 7)
