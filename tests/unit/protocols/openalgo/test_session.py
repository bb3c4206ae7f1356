import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.principal import Principal
from dashboard.protocols.openalgo.index import Holding, Index
from dashboard.protocols.openalgo.modes import Form, Mode
from dashboard.protocols.openalgo.requests import Code, Verb
from dashboard.protocols.openalgo.session import (
    BrokeredInstrument,
    CheckKey,
    Ended,
    LastValue,
    Listen,
    Output,
    Reply,
    Session,
)

KEY = "k" * 32
ANN = Principal(user_id="ann", scopes=frozenset({"stream"}), key_id=1, key_name="laptop")
RELIANCE: InstrumentKey = ("NSE", "RELIANCE")
TCS: InstrumentKey = ("NSE", "TCS")
NIFTY: InstrumentKey = ("NSE_INDEX", "NIFTY_50")
PRIVATE = [verb for verb in Verb if not verb.public]


class Market:
    brokers = ("simulator", "replay")

    def find(self, key: InstrumentKey) -> BrokeredInstrument | None:
        if key not in {RELIANCE, TCS, NIFTY}:
            return None
        exchange, symbol = key
        return BrokeredInstrument(
            Instrument(symbol=symbol, exchange=exchange, tick_size=0.05), self.brokers[0]
        )

    def status(self, broker: str) -> str:
        return f"{broker} is live"


class Client:
    """A session with one key that is good, and a broker that may refuse."""

    def __init__(self, name: str = "a", *, index: Index[str] | None = None) -> None:
        self.index = Index[str]() if index is None else index
        self.session = Session(name, index=self.index, market=Market(), clock=lambda: 1234)
        self.refused: Mapping[InstrumentKey, str] = {}

    def outputs(self, request: object) -> list[Output]:
        raw = request if isinstance(request, str | bytes) else json.dumps(request)
        asked = self.session.receive(raw)
        match asked:
            case CheckKey():
                return self.session.identify(ANN if asked.api_key == KEY else None)
            case Listen():
                return self.session.accept(self.refused)
            case _:
                return asked

    def ask(self, request: object) -> dict[str, Any]:
        replies = [each.payload for each in self.outputs(request) if isinstance(each, Reply)]
        assert len(replies) == 1
        return json.loads(replies[0])


def known(**options: Any) -> Client:
    client = Client(**options)
    client.ask({"action": "authenticate", "api_key": KEY})
    return client


def of(*keys: InstrumentKey) -> list[dict[str, str]]:
    return [{"exchange": exchange, "symbol": symbol} for exchange, symbol in keys]


@pytest.mark.parametrize("verb", ["action", "type"])
@pytest.mark.parametrize("name", ["authenticate", "auth"])
@pytest.mark.parametrize("field", ["api_key", "apikey"])
def test_a_good_key_lets_in(verb: str, name: str, field: str) -> None:
    client = Client()
    assert client.ask({verb: name, field: KEY}) == {
        "type": "auth",
        "status": "success",
        "message": "Authentication successful",
        "broker": "simulator",
        "user_id": "ann",
        "supported_features": {"ltp": True, "quote": True, "depth": True},
    }
    assert client.session.authenticated


def test_the_documents_form_is_for_authentication_alone() -> None:
    client = Client()
    request = {"action": "authenticate", "dialect": "document"}
    assert client.ask(request | {"api_key": "wrong"}) == {
        "type": "auth_response",
        "status": "error",
        "message": "Invalid API key",
    }
    assert client.ask(request | {"api_key": KEY}) == {
        "type": "auth_response",
        "status": "success",
        "message": "Authentication successful",
    }
    assert client.ask({"action": "subscribe", "symbols": of(TCS)})["type"] == "subscribe"


def test_a_wrong_key_is_an_error_and_another_may_follow() -> None:
    client = Client()
    refused = {
        "status": "error",
        "code": "AUTHENTICATION_ERROR",
        "message": "Invalid API key",
    }
    assert client.ask({"action": "authenticate", "api_key": "wrong"}) == refused
    assert not client.session.authenticated
    assert client.ask({"action": "authenticate", "api_key": KEY})["status"] == "success"
    assert client.ask({"action": "authenticate", "api_key": "wrong"}) == refused
    assert client.session.authenticated


@pytest.mark.parametrize("key", [None, "", 5, ["k"]])
def test_a_missing_key_is_an_error(key: object) -> None:
    asked = Client().ask({"action": "authenticate", "api_key": key})
    assert (asked["status"], asked["code"]) == ("error", "AUTHENTICATION_ERROR")


@pytest.mark.parametrize("verb", PRIVATE)
def test_who_is_unknown_gets_nothing_else(verb: str) -> None:
    client = Client()
    asked = client.ask({"action": verb, "symbols": "nonsense"})
    assert (asked["status"], asked["code"]) == ("error", "NOT_AUTHENTICATED")
    assert "type" not in asked
    assert len(client.index) == 0


def test_a_key_is_in_no_representation() -> None:
    asked = Client().session.receive(json.dumps({"action": "auth", "api_key": KEY}))
    assert KEY not in repr(asked)


def test_a_request_waits_for_the_answer_before_it() -> None:
    client = Client()
    client.session.receive(json.dumps({"action": "auth", "api_key": KEY}))
    with pytest.raises(RuntimeError, match="has not been answered"):
        client.session.receive('{"action": "ping"}')
    with pytest.raises(RuntimeError, match="no Subscribe"):
        client.session.accept({})


def test_a_failure_of_ours_is_told_and_the_session_goes_on() -> None:
    client = Client()
    client.session.receive(json.dumps({"action": "auth", "api_key": KEY}))
    (reply,) = client.session.fail()
    assert isinstance(reply, Reply)
    assert json.loads(reply.payload)["code"] == "SERVER_ERROR"
    assert client.ask({"action": "ping"})["type"] == "pong"


@pytest.mark.parametrize(
    ("mode", "label", "form"),
    [
        (1, "LTP", Form(Mode.LTP)),
        ("ltp", "LTP", Form(Mode.LTP)),
        (2, "Quote", Form(Mode.QUOTE)),
        ("QUOTE", "Quote", Form(Mode.QUOTE)),
        (3, "Depth", Form(Mode.DEPTH, 20)),
        ("Depth", "Depth", Form(Mode.DEPTH, 20)),
    ],
)
def test_every_mode_can_be_subscribed_to(mode: object, label: str, form: Form) -> None:
    client = known()
    reply, snapshot = client.outputs(
        {
            "action": "subscribe",
            "symbol": "RELIANCE",
            "exchange": "NSE",
            "mode": mode,
            "depth": 20,
            "request_id": "r1",
        }
    )
    assert snapshot == LastValue(RELIANCE, form)
    assert isinstance(reply, Reply)
    assert json.loads(reply.payload) == {
        "type": "subscribe",
        "status": "success",
        "subscriptions": [
            {
                "symbol": "RELIANCE",
                "exchange": "NSE",
                "status": "success",
                "mode": label,
                "depth": 20,
                "broker": "simulator",
            }
        ],
        "message": "Subscription processing complete",
        "broker": "simulator",
        "request_id": "r1",
    }
    assert client.index.groups(RELIANCE, Mode.DEPTH) == {form: {"a": None}}


def test_the_documents_subscribe_is_in_mode_quote() -> None:
    client = known()
    asked = client.ask({"action": "subscribe", "symbols": of(RELIANCE, TCS)})
    assert [each["mode"] for each in asked["subscriptions"]] == ["Quote", "Quote"]
    assert "request_id" not in asked


def test_unknown_and_refused_symbols_make_it_partial() -> None:
    client = known()
    client.refused = {NIFTY: "the broker said no"}
    asked = client.ask({"action": "subscribe", "symbols": of(TCS, ("NSE", "NOPE"), NIFTY)})
    assert asked["status"] == "partial"
    assert [each["status"] for each in asked["subscriptions"]] == ["success", "error", "error"]
    assert asked["subscriptions"][1] == {
        "symbol": "NOPE",
        "exchange": "NSE",
        "status": "error",
        "message": "Symbol NOPE not found on NSE",
        "broker": "simulator",
    }
    assert asked["subscriptions"][2]["message"] == "the broker said no"
    assert set(client.session.held) == {TCS}


def test_only_what_the_market_has_is_asked_of_the_broker() -> None:
    client = known()
    asked = client.session.receive(
        json.dumps({"action": "subscribe", "symbols": of(("NSE", "NOPE"), TCS)})
    )
    assert isinstance(asked, Listen)
    assert [each.instrument.id for each in asked.listings] == ["NSE:TCS"]


@pytest.mark.parametrize("top", [{}, {"mode": 1}, {"mode": "Depth"}])
def test_unsubscribe_ends_the_mode_at_the_top_or_all_of_them(top: dict[str, object]) -> None:
    client = known()
    for mode in Mode:
        client.ask({"action": "subscribe", "symbols": of(TCS), "mode": mode})
    *ended, reply = client.outputs({"action": "unsubscribe", "symbols": of(TCS)} | top)
    gone = {each.mode for each in ended if isinstance(each, Ended)}
    assert isinstance(reply, Reply)
    asked = json.loads(reply.payload)
    wanted = {Mode.LTP} if top == {"mode": 1} else {Mode.DEPTH} if top else set(Mode)
    assert gone == wanted
    assert {each["mode"] for each in asked["successful"]} == {mode.label for mode in wanted}
    assert (asked["type"], asked["status"], asked["failed"]) == ("unsubscribe", "success", [])
    held = client.session.held.get(TCS, Holding())
    assert held.modes == set(Mode) - wanted


def test_the_mode_of_an_item_counts_before_the_one_at_the_top() -> None:
    client = known()
    for mode in Mode:
        client.ask({"action": "subscribe", "symbols": of(TCS, RELIANCE), "mode": mode})
    items = [{"symbol": "TCS", "exchange": "NSE", "mode": 3}, *of(RELIANCE)]
    client.ask({"action": "unsubscribe", "symbols": items, "mode": "LTP"})
    assert client.session.held[TCS].modes == {Mode.LTP, Mode.QUOTE}
    assert client.session.held[RELIANCE].modes == {Mode.QUOTE, Mode.DEPTH}


def test_what_is_not_held_cannot_be_ended() -> None:
    client = known()
    client.ask({"action": "subscribe", "symbols": of(TCS)})
    request = {"action": "unsubscribe", "symbol": "TCS", "exchange": "NSE"}
    asked = client.ask(request | {"mode": 3})
    assert (asked["status"], asked["successful"]) == ("error", [])
    assert asked["failed"][0]["message"] == "Not subscribed"
    both = {"action": "unsubscribe", "symbols": of(TCS, NIFTY)}
    assert client.ask(both)["status"] == "partial"


def test_unsubscribe_all_ends_everything() -> None:
    client = known()
    client.ask({"action": "subscribe", "symbols": of(TCS, NIFTY)})
    asked = client.ask({"type": "unsubscribe_all"})
    assert asked["status"] == "success"
    assert [each["symbol"] for each in asked["successful"]] == ["TCS", "NIFTY_50"]
    assert len(client.index) == 0
    assert client.ask({"type": "unsubscribe_all"})["successful"] == []


def test_brokers_and_pings() -> None:
    client = Client()
    assert client.ask({"action": "get_supported_brokers"}) == {
        "type": "supported_brokers",
        "status": "success",
        "brokers": ["simulator", "replay"],
        "count": 2,
    }
    assert client.ask({"type": "ping", "timestamp": 17, "_pingId": "p"}) == {
        "type": "pong",
        "status": "success",
        "server_timestamp": 1234,
        "client_timestamp": 17,
        "_pingId": "p",
    }
    assert "_pingId" not in client.ask({"type": "ping"})
    assert known().ask({"action": "get_broker_info"}) == {
        "type": "broker_info",
        "status": "success",
        "broker": "simulator",
        "adapter_status": "simulator is live",
        "user_id": "ann",
    }


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("", Code.INVALID_JSON),
        ("[]", Code.INVALID_JSON),
        ("null", Code.INVALID_JSON),
        (b"\xff", Code.INVALID_JSON),
        ('{"action": NaN}', Code.INVALID_JSON),
        ("[" * 100_000, Code.INVALID_JSON),
        ('{"a":' * 100_000, Code.INVALID_JSON),
        ('{"action": "ping", "timestamp": 1' + "0" * 5000 + "}", Code.INVALID_JSON),
        ({}, Code.INVALID_ACTION),
        ({"action": "buy"}, Code.INVALID_ACTION),
        ({"action": ["ping"]}, Code.INVALID_ACTION),
        ({"action": {"a": 1}, "type": "ping"}, Code.INVALID_ACTION),
        ({"action": "ping", "timestamp": [1]}, Code.INVALID_PARAMETERS),
        ({"action": "ping", "timestamp": 2**63}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe"}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": []}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": of(TCS) * 3001}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": None}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": ["NSE:TCS"]}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": [{"symbol": "TCS"}]}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbol": 5, "exchange": "NSE"}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbol": "x" * 101, "exchange": "N"}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": of(TCS), "mode": 4}, Code.INVALID_MODE),
        ({"action": "subscribe", "symbols": of(TCS), "mode": "1"}, Code.INVALID_MODE),
        ({"action": "subscribe", "symbols": of(TCS), "mode": True}, Code.INVALID_MODE),
        ({"action": "subscribe", "symbols": of(TCS), "mode": None}, Code.INVALID_MODE),
        ({"action": "unsubscribe", "symbols": of(TCS), "mode": [1]}, Code.INVALID_MODE),
        ({"action": "subscribe", "symbols": of(TCS), "depth": 6}, Code.INVALID_PARAMETERS),
        ({"action": "subscribe", "symbols": of(TCS), "depth": True}, Code.INVALID_PARAMETERS),
    ],
)
def test_every_wrong_request_has_its_code(request_: object, code: Code) -> None:
    client = known()
    asked = client.ask(request_)
    assert set(asked) == {"status", "code", "message"}
    assert (asked["status"], asked["code"]) == ("error", code)
    assert len(asked["message"]) < 300
    assert client.ask({"type": "ping"})["type"] == "pong"


VALID = [
    {"action": "authenticate", "api_key": KEY},
    {"action": "subscribe", "symbols": of(TCS, NIFTY), "mode": "Depth", "depth": 20},
    {"action": "unsubscribe", "symbol": "TCS", "exchange": "NSE", "mode": 2, "request_id": 7},
    {"type": "ping", "timestamp": 1.5, "_pingId": "é"},
]


@pytest.mark.parametrize("request_", VALID)
def test_every_prefix_of_a_valid_request_is_no_json(request_: object) -> None:
    client, raw = known(), json.dumps(request_, ensure_ascii=False).encode()
    for end in range(len(raw)):
        assert client.ask(raw[:end])["code"] == "INVALID_JSON"


@given(st.sampled_from(VALID), st.integers(0), st.binary(max_size=3), st.integers(0, 3))
def test_a_mutated_request_gets_one_answer_and_breaks_nothing(
    request_: object, at: int, put: bytes, cut: int
) -> None:
    client, raw = known(), json.dumps(request_).encode()
    at %= len(raw)
    asked = client.ask(raw[:at] + put + raw[at + cut :])
    assert asked["status"] in {"success", "partial", "error"}
    assert client.ask({"type": "ping"})["type"] == "pong"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = ["symbols", "symbol", "exchange", "mode", "depth", "request_id", "timestamp", "_pingId"]


@given(st.sampled_from(Verb), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_value_in_any_field_gets_one_answer(verb: Verb, fields: dict[str, object]) -> None:
    client = known()
    assert "status" in client.ask({**fields, "action": verb})
    assert client.ask({"type": "ping"})["type"] == "pong"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["subscribe", "unsubscribe"]),
        st.sampled_from([TCS, RELIANCE, NIFTY]),
        st.none() | st.sampled_from(Mode),
    )
)


@given(STEPS)
def test_what_is_held_is_what_was_asked_for(
    steps: list[tuple[str, InstrumentKey, Mode | None]],
) -> None:
    client = known()
    held: dict[InstrumentKey, set[Mode]] = {}
    for action, key, mode in steps:
        client.ask({"action": action, "symbols": of(key)} | ({"mode": mode} if mode else {}))
        modes = held.setdefault(key, set())
        if action == "subscribe":
            modes.add(mode or Mode.QUOTE)
        else:
            modes -= {mode} if mode else set(Mode)
    assert {key: each.modes for key, each in client.session.held.items()} == {
        key: modes for key, modes in held.items() if modes
    }
    for key, modes in held.items():
        groups = client.index.groups(key, Mode.DEPTH)
        assert {form.mode for form in groups} == ({max(modes)} if modes else set())


@pytest.mark.parametrize("raw", ["x" * 4097, b"[" * 4097, '{"action":"ping"}'.ljust(1 << 20)])
def test_a_large_request_of_who_is_not_authenticated_is_not_even_read(raw: str | bytes) -> None:
    client = Client()
    answer = client.ask(raw)
    assert (answer["status"], answer["code"]) == ("error", "NOT_AUTHENTICATED")
    assert client.ask('{"action":"ping"}'.ljust(4096))["type"] == "pong"
    assert known().ask('{"action":"ping"}'.ljust(1 << 20))["type"] == "pong"
