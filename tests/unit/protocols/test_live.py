import json
import math
from collections.abc import Set
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.core.errors import RequestError
from dashboard.core.model import Event, Kind, Side, Topic
from dashboard.protocols import live, live_filters
from tests.unit.fakes import book, control, price, published, system, trade

TS = 1_700_000_000_123_456_789
TS_US = 1_700_000_000_123_456

encode = live.encoder("e1")


def frame(event: Event) -> str:
    return encode(published(event, 77, seq=5))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            price("BTC/USD", 45_000.25, volume=1200, ts=TS),
            '{"type":"price","symbol":"BTC/USD","exchange":"CRYPTO","price":45000.25,"volume":1200,'
            f'"ts":{TS_US},"seq":5,"id":"e1:77"}}',
        ),
        (
            trade("ETH/USD", 2500.5, size=0.75, side=Side.SELL, ts=TS),
            '{"type":"trade","symbol":"ETH/USD","exchange":"CRYPTO","price":2500.5,"size":0.75,"side":"sell",'
            f'"ts":{TS_US},"seq":5,"id":"e1:77"}}',
        ),
        (
            book("ETH/USD", bids=((9.5, 1.0), (9.0, 2.5)), asks=((10.5, 3.0),), ts=TS),
            '{"type":"book","symbol":"ETH/USD","exchange":"CRYPTO","bids":[[9.5,1.0],[9.0,2.5]],"asks":[[10.5,3.0]],'
            f'"ts":{TS_US},"seq":5,"id":"e1:77"}}',
        ),
        (
            system(cpu_pct=12.5, mem_mb=300, msg_rate=42, ts=TS),
            '{"type":"system","cpu_pct":12.5,"mem_mb":300,"msg_rate":42,'
            f'"ts":{TS_US},"seq":5,"id":"e1:77"}}',
        ),
        (
            control(25, ts=TS),
            '{"type":"control","frequency_ms":25,"seq":5,"id":"e1:77"}',
        ),
    ],
    ids=["price", "trade", "book", "system", "control"],
)
def test_each_event_is_written_as_the_protocol_says(event: Event, text: str) -> None:
    assert frame(event) == text


numbers = st.floats(0, 1e12, allow_nan=False)
levels = st.lists(st.tuples(numbers, numbers), max_size=5).map(tuple)


@given(symbol=st.text(), value=numbers, volume=numbers, ts=st.integers(0, 2**62))
def test_a_price_survives_the_wire(symbol: str, value: float, volume: float, ts: int) -> None:
    assert json.loads(frame(price(symbol, value, volume=volume, ts=ts))) == {
        "type": "price",
        "symbol": symbol,
        "exchange": "CRYPTO",
        "price": value,
        "volume": volume,
        "ts": ts // 1000,
        "seq": 5,
        "id": "e1:77",
    }


@given(symbol=st.text(), value=numbers, size=numbers, side=st.sampled_from(Side))
def test_a_trade_survives_the_wire(symbol: str, value: float, size: float, side: Side) -> None:
    got = json.loads(frame(trade(symbol, value, size=size, side=side)))
    assert (got["symbol"], got["price"], got["size"], got["side"]) == (symbol, value, size, side)


@given(bids=levels, asks=levels)
def test_a_book_survives_the_wire(bids: Any, asks: Any) -> None:
    got = json.loads(frame(book(bids=bids, asks=asks)))
    assert got["bids"] == [list(level) for level in bids]
    assert got["asks"] == [list(level) for level in asks]


def test_a_frame_is_one_line() -> None:
    assert "\n" not in frame(price("two\nlines"))


def test_an_event_of_another_kind_is_an_error() -> None:
    class Unknown(Event, frozen=True, kw_only=True):
        @property
        def topic(self) -> Topic:
            return Topic(Kind.SYSTEM, "", "")

    with pytest.raises(TypeError, match="Unknown"):
        frame(Unknown(ts_event=0))


def test_the_epoch_is_part_of_the_id() -> None:
    assert json.loads(live.encoder("abc")(published(price(), 9)))["id"] == "abc:9"


def test_subscribed_says_what_now_holds() -> None:
    asked = live_filters.FilterRequest(frozenset({"B", "A"}), frozenset({"system", "market"}))
    assert live.encode_subscribed(asked, unknown=(), refused={}) == (
        '{"type":"subscribed","symbols":["A","B"],"streams":["market","system"]}'
    )


def test_subscribed_to_everything_has_null_for_the_symbols() -> None:
    got = json.loads(
        live.encode_subscribed(live_filters.FilterRequest(), unknown=set(), refused={})
    )
    assert got == {"type": "subscribed", "symbols": None, "streams": ["market", "system"]}


def test_subscribed_names_unknown_symbols() -> None:
    asked = live_filters.FilterRequest(frozenset({"Z", "NSE:A", "Y"}), frozenset({"market"}))
    assert live.encode_subscribed(asked, unknown=["Z", "Y"], refused={}) == (
        '{"type":"subscribed","symbols":["NSE:A"],"streams":["market"],"unknown":["Y","Z"]}'
    )


def test_subscribed_names_what_was_refused_with_the_reason() -> None:
    asked = live_filters.FilterRequest(frozenset({"A", "B"}), frozenset({"market"}))
    assert json.loads(live.encode_subscribed(asked, unknown=(), refused={"B": "too many"})) == {
        "type": "subscribed",
        "symbols": ["A"],
        "streams": ["market"],
        "refused": {"B": "too many"},
    }


def test_conflated_tells_the_count_and_the_lost_trades() -> None:
    assert live.encode_conflated(count=12, lost_trades=3) == (
        '{"type":"conflated","count":12,"lost_trades":3}'
    )


def test_reset_tells_the_reason() -> None:
    assert live.encode_reset('too "old"') == '{"type":"reset","reason":"too \\"old\\""}'


def test_error_tells_the_problem_and_what_is_allowed() -> None:
    error = RequestError(problem="this is wrong", allowed="that")
    assert live.encode_error(error) == '{"type":"error","error":"this is wrong; allowed: that"}'


@pytest.mark.parametrize(
    ("text", "frequency_ms"),
    [
        ('{"frequency_ms":25}', 25),
        (b'{"frequency_ms":25}', 25),
        (' {"frequency_ms" : 33.5 } ', 33.5),
        ('{"frequency_ms":0}', 0),
        ('{"frequency_ms":-5}', -5),
        ('{"frequency_ms":1e300}', 1e300),
        ('{"frequency_ms":123456789012345678901234567890}', 123456789012345678901234567890),
        ('{"frequency_ms":25,"more":[1]}', 25),
    ],
)
def test_a_frequency_is_read_and_left_to_the_server_to_clamp(
    text: str | bytes, frequency_ms: float
) -> None:
    assert live.parse_request(text) == live.FrequencyRequest(float(frequency_ms))


BOTH = frozenset({"market", "system"})
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("text", "symbols", "streams"),
    [
        ('{"type":"subscribe"}', None, BOTH),
        ('{"type":"subscribe","symbols":null,"streams":null}', None, BOTH),
        ('{"type":"subscribe","symbols":["A","B","A"]}', {"A", "B"}, BOTH),
        ('{"type":"subscribe","symbols":[]}', NONE, BOTH),
        ('{"type":"subscribe","streams":["market"]}', None, {"market"}),
        ('{"type":"subscribe","streams":[]}', None, NONE),
        (b'{"symbols":["\xc3\xa9"],"streams":["system"],"type":"subscribe"}', {"é"}, {"system"}),
    ],
)
def test_a_filter_is_read(text: str | bytes, symbols: Any, streams: Any) -> None:
    asked = live.parse_request(text)
    assert isinstance(asked, live_filters.FilterRequest)
    assert (asked.symbols, asked.streams) == (symbols, streams)


@given(
    symbols=st.none() | st.frozensets(st.text(max_size=8), max_size=5),
    streams=st.frozensets(st.sampled_from(sorted(live_filters.STREAMS))),
)
def test_what_subscribed_says_can_be_sent_back(
    symbols: frozenset[str] | None, streams: frozenset[str]
) -> None:
    asked = live_filters.FilterRequest(symbols, streams)
    said = json.loads(live.encode_subscribed(asked, unknown=(), refused={}))
    assert live.parse_request(json.dumps(said | {"type": "subscribe"})) == asked


@pytest.mark.parametrize(
    ("text", "problem", "allowed"),
    [
        ("", "not JSON", '"frequency_ms"'),
        ("{", "not JSON", '"subscribe"'),
        (b"\xff\xfe", "not JSON", '"subscribe"'),
        (b'{"type":"\xed\xa0\x80"}', "not JSON", '"subscribe"'),
        ("\ud800", "not JSON", '"subscribe"'),
        ('{"type":"\\ud800"}', "not JSON", '"subscribe"'),
        ('{"frequency_ms":NaN}', "not JSON", '"frequency_ms"'),
        ('{"frequency_ms":Infinity}', "not JSON", '"frequency_ms"'),
        ("[" * 30_000, "Expected `object`", '"subscribe"'),
        ("[" * 30_000 + "]" * 30_000, "Expected `object`", '"subscribe"'),
        ("null", "Expected `object`", '"subscribe"'),
        ("25", "Expected `object`", '"frequency_ms"'),
        ('[{"frequency_ms":25}]', "Expected `object`", '"frequency_ms"'),
        ('"subscribe"', "Expected `object`", '"subscribe"'),
        ("{}", "not known", '"frequency_ms"'),
        ('{"type":"control","frequency_ms":100}', "not known", '"frequency_ms"'),
        ('{"type":"unsubscribe"}', "not known", '"subscribe"'),
        ('{"type":"SUBSCRIBE"}', "not known", '"subscribe"'),
        ('{"type":["subscribe"]}', "$.type", '"subscribe"'),
        ('{"type":{"subscribe":1}}', "$.type", '"subscribe"'),
        ('{"frequency_ms":"25"}', "got `str` - at `$.frequency_ms`", "10..1000"),
        ('{"frequency_ms":true}', "got `bool` - at `$.frequency_ms`", "10..1000"),
        ('{"frequency_ms":null}', "not known", "10..1000"),
        ('{"frequency_ms":[25]}', "got `array` - at `$.frequency_ms`", "10..1000"),
        ('{"frequency_ms":1' + "0" * 400 + "}", "out of range - at `$.frequency_ms`", "10..1000"),
        ('{"type":"subscribe","symbols":"AAPL"}', "got `str` - at `$.symbols`", '"symbols": [...]'),
        (
            '{"type":"subscribe","symbols":{"AAPL":1}}',
            "got `object` - at `$.symbols`",
            '"symbols": [...]',
        ),
        (
            '{"type":"subscribe","symbols":[1]}',
            "got `int` - at `$.symbols[0]`",
            '"symbols": [...]',
        ),
        (
            '{"type":"subscribe","symbols":["A",null]}',
            "got `null` - at `$.symbols[1]`",
            '"symbols": [...]',
        ),
        (
            '{"type":"subscribe","streams":"market"}',
            "got `str` - at `$.streams`",
            '"market", "system"',
        ),
        (
            '{"type":"subscribe","streams":[true]}',
            "got `bool` - at `$.streams[0]`",
            '"market", "system"',
        ),
        (
            '{"type":"subscribe","streams":["market","b","a"]}',
            "Invalid enum value 'b'",
            '"market", "system"',
        ),
    ],
)
def test_a_bad_request_is_told_what_was_wrong_and_what_is_allowed(
    text: str | bytes, problem: str, allowed: str
) -> None:
    with pytest.raises(RequestError) as caught:
        live.parse_request(text)
    assert problem in caught.value.problem
    assert allowed in caught.value.allowed
    assert len(live.encode_error(caught.value)) < 400


def outcome(text: str | bytes) -> object:
    """Give the request, or the error as it goes to the client; anything else propagates."""
    try:
        return live.parse_request(text)
    except RequestError as error:
        told = live.encode_error(error)
        assert json.loads(told)["type"] == "error"
        assert len(told) < 600
        return error


@given(text=st.text() | st.text(alphabet='{}[]":,0123456789eE+-.truefalsn\\u \n'))
@example(text="\udfff")
@example(text='{"type":"subscribe","symbols":["\ud800"]}')
def test_arbitrary_text_is_no_request(text: str) -> None:
    assert isinstance(outcome(text), RequestError)


@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_no_request(data: bytes) -> None:
    assert isinstance(outcome(data), RequestError)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=100)
    | st.sampled_from(["subscribe", "market", "system"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=json_values)
def test_any_frequency_is_taken_or_refused(value: object) -> None:
    got = outcome(json.dumps({"frequency_ms": value}))
    if isinstance(got, live.FrequencyRequest):
        assert math.isfinite(got.frequency_ms)
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
    else:
        assert isinstance(got, RequestError)


@given(symbols=json_values, streams=json_values)
def test_any_filter_is_taken_or_refused(symbols: object, streams: object) -> None:
    got = outcome(json.dumps({"type": "subscribe", "symbols": symbols, "streams": streams}))
    if isinstance(got, live_filters.FilterRequest):
        assert got.streams <= live_filters.STREAMS.keys()
        assert symbols is None or got.symbols == frozenset(symbols)  # pyright: ignore[reportArgumentType] - JSON
    else:
        assert isinstance(got, RequestError)


@pytest.mark.parametrize("text", ['{"frequency_ms":%s}', '{"type":"subscribe","symbols":[%s]}'])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_of_any_depth_is_refused(text: str, opening: str, closing: str) -> None:
    for depth in [*range(1, 1000, 50), *range(850, 1010), 20_000]:
        nested = opening * depth + "1" + closing * depth
        assert isinstance(outcome(text % nested), RequestError)


MARKET = [Topic(kind, "CRYPTO", "A") for kind in (Kind.PRICE, Kind.TRADE, Kind.BOOK)]
SYSTEM = Topic(Kind.SYSTEM, "", "")
CONTROL = Topic(Kind.CONTROL, "", "")


def passing(wanted: live_filters.Filter) -> list[Topic]:
    return [topic for topic in [*MARKET, SYSTEM, CONTROL] if wanted.wants(topic, common=True)]


def test_a_new_client_gets_everything() -> None:
    assert passing(live_filters.Filter()) == [*MARKET, SYSTEM, CONTROL]


@pytest.mark.parametrize(
    ("symbols", "streams", "passes"),
    [
        ({"A"}, {"market", "system"}, [*MARKET, SYSTEM, CONTROL]),
        ({"A"}, {"market"}, [*MARKET, CONTROL]),
        ({"A"}, {"system"}, [SYSTEM, CONTROL]),
        ({"A"}, NONE, [CONTROL]),
        ({"B"}, {"market", "system"}, [SYSTEM, CONTROL]),
        (NONE, {"market", "system"}, [SYSTEM, CONTROL]),
        (NONE, {"market"}, [CONTROL]),
        (None, {"market"}, [*MARKET, CONTROL]),
        (None, NONE, [CONTROL]),
    ],
)
def test_what_a_filter_lets_pass(
    symbols: Set[str] | None, streams: Set[str], passes: list[Topic]
) -> None:
    keys = None if symbols is None else frozenset(("CRYPTO", symbol) for symbol in symbols)
    assert passing(live_filters.Filter(keys, live_filters.kinds_of(streams))) == passes


def test_namesakes_are_told_apart_by_their_exchange() -> None:
    wanted = live_filters.Filter(frozenset({("X", "A")}))
    assert wanted.wants(Topic(Kind.PRICE, "X", "A"), common=False)
    assert not wanted.wants(Topic(Kind.PRICE, "Y", "A"), common=True)


def test_what_is_not_common_passes_only_where_it_is_named() -> None:
    topic = Topic(Kind.PRICE, "NSE", "TCS")
    assert not live_filters.Filter().wants(topic, common=False)
    assert live_filters.Filter(frozenset({("NSE", "TCS")})).wants(topic, common=False)


@pytest.mark.parametrize("streams", [set(live_filters.STREAMS), {"market"}, {"system"}, NONE])
@pytest.mark.parametrize("keys", [None, frozenset[tuple[str, str]](), frozenset({("CRYPTO", "A")})])
def test_topics_and_common_kinds_say_together_what_passes(
    keys: frozenset[tuple[str, str]] | None, streams: Set[str]
) -> None:
    wanted = live_filters.Filter(keys, live_filters.kinds_of(streams))
    for common in (True, False):
        for topic in [*MARKET, SYSTEM, CONTROL, Topic(Kind.PNL, "CRYPTO", "A")]:
            passes = topic in wanted.topics or (common and topic.kind in wanted.common_kinds)
            assert wanted.wants(topic, common=common) == passes


def test_every_kind_that_is_carried_on_request_belongs_to_exactly_one_stream() -> None:
    kinds = [kind for stream in live_filters.STREAMS.values() for kind in stream]
    of_other_protocols = {Kind.QUOTE, Kind.OPEN_INTEREST, Kind.THEO, Kind.POSITIONS, Kind.PNL}
    within = {Kind.FEED_REPORT, Kind.FEED_CATALOGUE, Kind.REVOKED_KEYS, Kind.CLOSED_BAR}
    elsewhere = {Kind.CONTROL, *of_other_protocols, *within}
    assert sorted(kinds) == sorted(set(Kind) - elsewhere)


def test_a_historical_trade_is_not_carried() -> None:
    now = trade("A")
    assert live.carries(now)
    assert not live.carries(msgspec.structs.replace(now, historical=True))
