import json

import pytest

from dashboard.core.errors import ParseError
from dashboard.core.model import Book, Event, Price, Trade
from dashboard.feeds.parsing.changes import BookSnapshot
from dashboard.feeds.parsing.livetape import EXCHANGE, parse_message
from dashboard.protocols import live
from dashboard.protocols.live_filters import FilterRequest
from tests.unit.fakes import book, control, price, published, system, trade
from tests.unit.runner_events import one_of_each


def frame(event: Event) -> str:
    return live.encoder("epoch")(published(event))


def test_our_own_frames_are_read_again() -> None:
    ours = price(value=45_000.5, volume=3)
    assert parse_message(frame(ours), 7) == (
        Price(symbol=ours.symbol, exchange=ours.exchange, price=45_000.5, volume=3, ts_event=7),
    )
    sale = trade(size=0.25)
    assert parse_message(frame(sale), 7) == (
        Trade(
            symbol=sale.symbol,
            exchange=sale.exchange,
            price=sale.price,
            size=0.25,
            aggressor_side=sale.aggressor_side,
            priced=True,
            ts_event=7,
        ),
    )
    depth = book()
    assert parse_message(frame(depth), 7) == (
        BookSnapshot(
            symbol=depth.symbol,
            exchange=depth.exchange,
            bids=depth.bids,
            asks=depth.asks,
            ts_event=7,
        ),
    )


@pytest.mark.parametrize("event", [price(), trade(), book()])
def test_a_frame_of_before_exchanges_were_named_is_of_our_own(event: Price | Trade | Book) -> None:
    named = json.loads(frame(event))
    del named["exchange"]
    changes = parse_message(json.dumps(named), 7)
    assert changes is not None
    assert [(each.symbol, each.exchange) for each in changes] == [(event.symbol, EXCHANGE)]


@pytest.mark.parametrize(
    "text",
    [
        frame(system()),
        frame(control()),
        live.encode_subscribed(FilterRequest(), unknown=(), refused={}),
        live.encode_conflated(count=1, lost_trades=0),
        live.encode_reset("old"),
        *map(frame, one_of_each()),
    ],
)
def test_what_is_about_process_connection_or_runners_is_known_and_left_out(text: str) -> None:
    assert parse_message(text, 7) == ()


@pytest.mark.parametrize(
    "text", ['{"type":"ticker"}', '{"Tick":{}}', '{"Error":{},"a":1}', "{}", "[]", "null"]
)
def test_an_unknown_frame_is_none(text: str) -> None:
    assert parse_message(text, 7) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"type":"price","symbol":"A"}',
        '{"type":"price","symbol":"A","price":-9007199254740992,"volume":1}',
        '{"type":"price","symbol":"A","price":1,"volume":1e15}',
        '{"type":"trade","symbol":"A","price":1,"size":-1,"side":"buy"}',
        '{"type":"book","symbol":"A","bids":[[1,-1]],"asks":[]}',
        '{"type":"trade","symbol":"A","price":1,"size":1,"side":"both"}',
    ],
)
def test_a_malformed_frame_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_message(text, 7)


@pytest.mark.parametrize("price", [-37.63, 0, -0.01])
def test_a_recorded_price_may_be_on_either_side_of_zero(price: float) -> None:
    frames = (
        f'{{"type":"price","symbol":"A","price":{price},"volume":1}}',
        f'{{"type":"trade","symbol":"A","price":{price},"size":1,"side":"buy"}}',
        f'{{"type":"book","symbol":"A","bids":[[{price},1]],"asks":[]}}',
    )
    assert all(parse_message(frame, 7) for frame in frames)
