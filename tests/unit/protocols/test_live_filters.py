import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import RequestError
from dashboard.core.model import Channel, Kind, Topic
from dashboard.protocols import live
from dashboard.protocols.live_filters import (
    EVENTS_STREAMS,
    LIVE_STREAMS,
    STREAMS,
    Filter,
    FilterRequest,
    Query,
    kinds_of,
    parse_query,
    streams_in,
)
from dashboard.protocols.runner_events import EVENT_KINDS, EVENT_TYPES
from tests.unit.runner_events import tick, transition

BTC, ETH = ("CRYPTO", "BTC/USD"), ("CRYPTO", "ETH/USD")
EVENTS = [tick("a"), transition("a"), tick("b", symbol="ETH/USD"), tick("c")]


def passing(wanted: Filter) -> list[tuple[str, Kind]]:
    return [(each.runner_id, each.kind) for each in EVENTS if wanted.wants_event(each)]


TICK, TRANSITION = Kind.TICK_RECEIVED, Kind.STATE_TRANSITION
EVERY = [("a", TICK), ("a", TRANSITION), ("b", TICK), ("c", TICK)]


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(), EVERY),
        (Filter(kinds=kinds_of({"events"})), EVERY),
        (Filter(kinds=kinds_of({"market", "system"})), []),
        (Filter(kinds=frozenset({TRANSITION})), [("a", TRANSITION)]),
        (Filter(runners=frozenset({"b", "never"})), [("b", TICK)]),
        (Filter(runners=frozenset()), []),
        (Filter(frozenset({ETH})), [("b", TICK)]),
        (Filter(frozenset()), []),
        (Filter(frozenset({ETH}), runners=frozenset({"c"})), [("c", TICK)]),
    ],
)
def test_what_of_runners_a_filter_lets_pass(wanted: Filter, passes: list[tuple[str, Kind]]) -> None:
    assert passing(wanted) == passes


def test_named_runners_are_topics_and_others_kinds() -> None:
    wanted = Filter(kinds=kinds_of({"events"}), runners=frozenset({"a"}))
    assert set(wanted.topics) == {Topic(kind, "", "a") for kind in EVENT_KINDS}
    assert wanted.unnamed_event_kinds == set()
    assert Filter().unnamed_event_kinds == EVENT_KINDS
    assert not Filter().common_kinds & EVENT_KINDS


def test_with_events_alone_nothing_else_comes() -> None:
    assert kinds_of({"events"}) == EVENT_KINDS
    assert Kind.CONTROL in kinds_of({"events", "market"})
    assert Kind.CONTROL in kinds_of(())


def test_types_of_events_narrow_these_alone() -> None:
    asked = FilterRequest(streams=frozenset({"market", "events"}), event_types=frozenset({"Error"}))
    assert asked.kinds == kinds_of({"market"}) | {Kind.RUNNER_ERROR}
    assert FilterRequest(event_types=frozenset({"Error"})).kinds == kinds_of(LIVE_STREAMS)


def test_channels_are_those_of_what_is_wanted() -> None:
    assert Filter(kinds=kinds_of({"events"})).channels == {Channel.RUNNERS}
    assert Filter(kinds=kinds_of({"market"})).channels == {Channel.MARKET, Channel.STATUS}
    assert streams_in({Channel.RUNNERS, Channel.STATUS}) == ["system", "events"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('{"type":"subscribe"}', FilterRequest()),
        (
            '{"type":"subscribe","streams":["market","events"],"symbols":["A"],"runners":["r"],'
            '"event_types":["Error","TickReceived"]}',
            FilterRequest(
                frozenset({"A"}),
                frozenset({"market", "events"}),
                frozenset({"r"}),
                frozenset({"Error", "TickReceived"}),
            ),
        ),
        (
            '{"type":"subscribe","runners":["r"]}',
            FilterRequest(None, frozenset(STREAMS), frozenset({"r"})),
        ),
    ],
)
def test_a_request_is_read(text: str, asked: FilterRequest) -> None:
    assert live.parse_request(text) == asked


def test_without_streams_a_request_means_those_of_its_address() -> None:
    for text in ('{"type":"subscribe"}', '{"type":"subscribe","runners":["r"]}'):
        asked = live.parse_request(text, streams=EVENTS_STREAMS)
        assert isinstance(asked, FilterRequest)
        assert asked.streams == EVENTS_STREAMS


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", Query()),
        (b"api_key=x&since=e:5", Query("e:5")),
        (b"format=tagged", Query(tagged=True)),
        (b"streams=market", Query(asked=FilterRequest(streams=frozenset({"market"})))),
        (b"symbols=BTC%2FUSD", Query(asked=FilterRequest(frozenset({"BTC/USD"})))),
        (
            b"runners=a,b&runners=c&event_types=Error",
            Query(
                asked=FilterRequest(
                    None, frozenset(STREAMS), frozenset("abc"), frozenset({"Error"})
                )
            ),
        ),
    ],
)
def test_a_query_is_read(query: bytes, found: Query) -> None:
    assert parse_query(query, unnamed=LIVE_STREAMS) == found


BAD = [
    ({"streams": ["market", "nothing"]}, "nothing", '"events"'),
    ({"event_types": ["Tick"]}, "'Tick'", "TickReceived, StateTransition"),
    ({"runners": ["a/b"]}, "'a/b'", "A-Z a-z 0-9 _ . -"),
]


@pytest.mark.parametrize(("asked", "problem", "allowed"), BAD)
def test_what_a_request_names_wrongly_is_told(
    asked: dict[str, list[str]], problem: str, allowed: str
) -> None:
    with pytest.raises(RequestError) as caught:
        live.parse_request(json.dumps({"type": "subscribe", **asked}))
    assert problem in caught.value.problem
    assert allowed in caught.value.allowed


@pytest.mark.parametrize(("asked", "problem", "allowed"), BAD)
def test_what_a_query_names_wrongly_is_told(
    asked: dict[str, list[str]], problem: str, allowed: str
) -> None:
    [(name, values)] = asked.items()
    with pytest.raises(RequestError) as caught:
        parse_query(f"{name}={','.join(values)}".encode(), unnamed=LIVE_STREAMS)
    assert problem in caught.value.problem
    assert allowed.strip('"') in caught.value.allowed


def test_an_unknown_format_is_told() -> None:
    with pytest.raises(RequestError, match=r"format 'json' is not known; allowed: tagged"):
        parse_query(b"format=json", unnamed=LIVE_STREAMS)


def outcome(query: bytes) -> Query | RequestError:
    """Give what a query says, or the error; anything else propagates."""
    try:
        return parse_query(query, unnamed=LIVE_STREAMS)
    except RequestError as error:
        return error


@given(query=st.binary(max_size=80))
def test_any_query_is_taken_or_refused(query: bytes) -> None:
    found = outcome(query)
    assert isinstance(found, Query) or len(live.encode_error(found)) < 600


names = st.none() | st.frozensets(st.sampled_from(["a", "b", "c-1"]))
types = st.none() | st.frozensets(st.sampled_from(sorted(EVENT_TYPES)))


@given(
    symbols=names,
    streams=st.frozensets(st.sampled_from(sorted(STREAMS))),
    runners=names,
    event_types=types,
)
def test_what_subscribed_says_can_be_sent_back(
    symbols: frozenset[str] | None,
    streams: frozenset[str],
    runners: frozenset[str] | None,
    event_types: frozenset[str] | None,
) -> None:
    asked = FilterRequest(symbols, streams | {"events"}, runners, event_types)
    said = json.loads(live.encode_subscribed(asked, unknown=(), refused={}, unknown_runners=["c"]))
    assert said.pop("unknown_runners") == ["c"]
    assert live.parse_request(json.dumps(said | {"type": "subscribe"})) == asked


def test_without_events_an_answer_says_nothing_of_runners() -> None:
    said = json.loads(live.encode_subscribed(FilterRequest(), unknown=(), refused={}))
    assert said == {"type": "subscribed", "symbols": None, "streams": ["market", "system"]}


def test_conflated_tells_lost_events_where_there_are_any() -> None:
    assert json.loads(live.encode_conflated(count=3, lost_trades=1, lost_events=2)) == {
        "type": "conflated",
        "count": 3,
        "lost_trades": 1,
        "lost_events": 2,
    }


def test_reset_names_the_streams_that_begin_anew() -> None:
    assert live.encode_reset("too old", ["events"]) == (
        '{"type":"reset","reason":"too old","streams":["events"]}'
    )
