"""The market against the forms of the exchange's protocol, read back from its bytes."""

import hashlib
import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest

from dashboard.exchange.listings import LISTINGS, UNDERLYINGS, static_data
from dashboard.exchange.market import ExchangeMarket, Step
from dashboard.exchange.messages import format_timestamp
from tests.unit.fakes import SECOND_NS

START = 1_700_000_000 * SECOND_NS
Whole = Annotated[int, msgspec.Meta(ge=1)]


class Form(msgspec.Struct, forbid_unknown_fields=True):
    pass


class OrderForm(Form):
    client_name: str
    instrument: str
    leaves_qty: Whole
    price: float
    request_id: int
    side: Literal["Buy", "Sell"]
    timestamp: datetime


class BookForm(Form):
    message_type: Literal["OrderbookUpdate"]
    instrument: str
    timestamp: datetime
    asks: list[OrderForm]
    bids: list[OrderForm]


class QuoteForm(Form):
    instrument: str
    timestamp: datetime
    best_bid: float | None
    best_ask: float | None
    best_bid_qty: int
    best_ask_qty: int


class TradeForm(Form):
    buyer: str
    buyer_order_id: int
    instrument: str
    price: float
    seller: str
    seller_order_id: int
    timestamp: datetime
    volume: Whole


class PnlForm(Form):
    pnl: float


class BookMessage(Form, tag_field="type", tag="orderbook_update"):
    data: BookForm
    timestamp: datetime
    instrument: str


class QuoteMessage(Form, tag_field="type", tag="bbo_update"):
    data: QuoteForm
    timestamp: datetime
    instrument: str


class TradeMessage(Form, tag_field="type", tag="trade"):
    data: TradeForm
    timestamp: datetime
    instrument: str


class PositionMessage(Form, tag_field="type", tag="position_update"):
    data: dict[str, int]
    timestamp: datetime
    client: str


class PnlMessage(Form, tag_field="type", tag="pnl_update"):
    data: PnlForm
    timestamp: datetime
    client: str


MarketMessage = BookMessage | QuoteMessage | TradeMessage
Message = MarketMessage | PositionMessage | PnlMessage
decode = msgspec.json.Decoder[Message](Message).decode


def play(*, seed: int, seconds: float, rate: int = 200) -> list[Step]:
    """Give the steps of a market that publishes so many messages a second."""
    market = ExchangeMarket(seed=seed, now=START)
    steps: list[Step] = []
    made = 0
    while made < seconds * rate:
        steps.append(market.advance(START + made * SECOND_NS // rate))
        made += len(steps[-1].messages)
    return steps


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return play(seed=1, seconds=60)


@pytest.fixture(scope="module")
def messages(steps: list[Step]) -> list[Message]:
    return [decode(message) for step in steps for message in step.messages]


def test_every_message_has_its_form_and_every_type_comes(messages: list[Message]) -> None:
    kinds = Counter(type(message) for message in messages)
    assert set(kinds) == {BookMessage, QuoteMessage, TradeMessage, PositionMessage, PnlMessage}
    assert kinds[PnlMessage] < len(messages) / 10
    names = {listing.name for listing in LISTINGS}
    for message in messages:
        if isinstance(message, MarketMessage):
            assert message.instrument == message.data.instrument
            assert message.timestamp == message.data.timestamp
            assert message.instrument in names
        elif isinstance(message, PositionMessage):
            assert names.issuperset(message.data)


def test_every_message_is_compact(steps: list[Step]) -> None:
    for message in (message for step in steps[:200] for message in step.messages):
        assert msgspec.json.format(message, indent=-1) == message


def test_books_are_sorted_never_crossed_and_on_the_tick(messages: list[Message]) -> None:
    ticks = {listing.name: listing.tick_size for listing in LISTINGS}
    for message in messages:
        if isinstance(message, BookMessage):
            bids = [order.price for order in message.data.bids]
            asks = [order.price for order in message.data.asks]
            assert bids == sorted(bids, reverse=True)
            assert asks == sorted(asks)
            assert not (bids and asks) or bids[0] < asks[0]
            for price in bids + asks:
                count = price / ticks[message.instrument]
                assert count == pytest.approx(round(count), abs=1e-6)


def test_the_ladder_is_deep(messages: list[Message]) -> None:
    depths = sorted(
        len({order.price for order in side})
        for message in messages
        if isinstance(message, BookMessage)
        for side in (message.data.bids, message.data.asks)
    )
    assert 10 <= depths[len(depths) // 2] <= 20


def test_a_quote_is_the_top_of_the_book_before_it(messages: list[Message]) -> None:
    books: dict[str, BookForm] = {}
    for message in messages:
        if isinstance(message, BookMessage):
            books[message.instrument] = message.data
        elif isinstance(message, QuoteMessage):
            book = books[message.instrument]
            assert _top(book.bids) == (message.data.best_bid, message.data.best_bid_qty)
            assert _top(book.asks) == (message.data.best_ask, message.data.best_ask_qty)


def _top(orders: list[OrderForm]) -> tuple[float | None, int]:
    best = [order for order in orders if order.price == orders[0].price]
    return (best[0].price if best else None), sum(order.leaves_qty for order in best)


def test_positions_follow_from_the_trades() -> None:
    market = ExchangeMarket(seed=2, now=START)
    owned: dict[str, Counter[str]] = defaultdict(Counter)
    for text in market.account_messages(START):
        message = decode(text)
        if isinstance(message, PositionMessage):
            owned[message.client].update(message.data)
    told = 0
    for turn in range(5000):
        for text in market.advance(START + turn * SECOND_NS // 100).messages:
            message = decode(text)
            if isinstance(message, TradeMessage):
                assert message.data.buyer != message.data.seller
                owned[message.data.buyer][message.instrument] += message.data.volume
                owned[message.data.seller][message.instrument] -= message.data.volume
            elif isinstance(message, PositionMessage):
                told += 1
                assert message.data == {name: owned[message.client][name] for name in message.data}
    assert told > 500
    for listing in LISTINGS:
        assert sum(positions[listing.name] for positions in owned.values()) == 0


def test_pnl_adds_up_at_every_valuation(messages: list[Message]) -> None:
    valuations: dict[datetime, list[float]] = defaultdict(list)
    for message in messages:
        if isinstance(message, PnlMessage):
            valuations[message.timestamp].append(message.data.pnl)
    assert len(valuations) > 20
    for pnls in valuations.values():
        assert sum(pnls) == pytest.approx(0, abs=0.005 * len(pnls) + 1e-6)
    assert any(abs(pnl) > 100 for pnls in valuations.values() for pnl in pnls)


def test_positions_come_over_their_limits_at_times() -> None:
    limits = {listing.name: listing.absolute_limit for listing in LISTINGS}
    over = near = total = 0
    for step in play(seed=4, seconds=240):
        for message in map(decode, step.messages):
            if isinstance(message, PositionMessage):
                shares = (abs(held) / limits[name] for name, held in message.data.items())
                largest = max(shares, default=0.0)
                total += 1
                near += 0.8 < largest <= 1
                over += largest > 1
    assert 0 < over < total / 2
    assert near


def test_the_keys_hold_what_was_published_last(steps: list[Step]) -> None:
    keys: dict[str, bytes] = {}
    last: dict[str, object] = {}
    for step in steps:
        keys |= step.keys
        for message in map(decode, step.messages):
            if isinstance(message, BookMessage):
                last[f"orderbook:{message.instrument}"] = message.data
            elif isinstance(message, QuoteMessage):
                last[f"bbo:{message.instrument}"] = message.data
            elif isinstance(message, TradeMessage):
                last[f"last_trade:{message.instrument}"] = message.data.price
    held = {
        name: msgspec.json.decode(text, type=FORMS[name.partition(":")[0]])
        for name, text in keys.items()
    }
    theos = {f"theo:{underlying.name}" for underlying in UNDERLYINGS}
    assert set(held) == set(last) | theos
    assert {name: held[name] for name in last} == last


FORMS = {"orderbook": BookForm, "bbo": QuoteForm, "last_trade": float, "theo": float}


def test_the_state_has_every_key() -> None:
    names = [listing.name for listing in LISTINGS]
    expected = {f"{kind}:{name}" for kind in ("orderbook", "bbo", "last_trade") for name in names}
    expected |= {f"theo:{underlying.name}" for underlying in UNDERLYINGS}
    state = ExchangeMarket(seed=1, now=START).state(START)
    assert set(state) == expected
    for name, text in state.items():
        msgspec.json.decode(text, type=FORMS[name.partition(":")[0]])


def test_theoretical_prices_move_and_stay_near_the_quotes(steps: list[Step]) -> None:
    theo = [float(step.keys["theo:BTC"]) for step in steps if "theo:BTC" in step.keys]
    assert len(set(theo)) > 300
    assert min(theo) > 0.97 * theo[0]
    assert max(theo) < 1.03 * theo[0]
    quotes = [json.loads(step.keys["bbo:BTC/USD"]) for step in steps if "bbo:BTC/USD" in step.keys]
    for quote in quotes:
        assert quote["best_bid"] is None or quote["best_bid"] < 1.01 * max(theo)
        assert quote["best_ask"] is None or quote["best_ask"] > 0.99 * min(theo)


def test_a_seed_makes_the_same_market_byte_for_byte() -> None:
    def digest(seed: int) -> str:
        hashed = hashlib.sha256()
        for step in play(seed=seed, seconds=10):
            hashed.update(b"".join(step.messages) + repr(step.keys).encode())
        return hashed.hexdigest()

    assert digest(7) == digest(7)
    assert digest(7) != digest(8)


@pytest.mark.parametrize("jump_s", [-3600, 86_400])
def test_a_clock_that_jumps_does_not_upset_the_market(jump_s: int) -> None:
    market = ExchangeMarket(seed=1, now=START)
    before = float(market.state(START)["theo:BTC"])
    made = 0
    for turn in range(500):
        step = market.advance(START + jump_s * SECOND_NS + turn * SECOND_NS // 100)
        made += len(step.messages)
    assert made > 500
    after = float(market.state(START)["theo:BTC"])
    assert after == pytest.approx(before, rel=0.02)


def test_static_data_are_complete_and_lots_fit_the_limits() -> None:
    keys = static_data()
    instruments = json.loads(keys["static_data:instruments"])
    underlyings = json.loads(keys["static_data:underlyings"])
    assert {each["underlying"] for each in instruments} == {each["name"] for each in underlyings}
    assert len({each["name"] for each in instruments}) == len(instruments) == 6
    assert any("/" in each["name"] for each in instruments)
    for each in instruments:
        assert float(keys[f"static_data:{each['name']}_absolute_limit"]) > 0
    for each in underlyings:
        assert float(keys[f"static_data:{each['name']}_limit"]) == each["delta_limit"]
    for listing in LISTINGS:
        assert listing.absolute_limit >= 20 * listing.lot


def test_timestamps_are_iso_8601_in_utc() -> None:
    assert format_timestamp(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456Z"
    assert format_timestamp(0) == "1970-01-01T00:00:00.000000Z"
