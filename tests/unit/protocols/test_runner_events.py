import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import RequestError
from dashboard.core.model import Channel, Kind
from dashboard.core.trading.events import AnyRunnerEvent, TickReceived
from dashboard.core.trading.model import (
    Action,
    CancelAnalysis,
    EnterShort,
    Exit,
    MarketData,
    StartAnalyzing,
    UpdateStopLoss,
    UpdateTakeProfit,
)
from dashboard.protocols import live
from dashboard.protocols.runner_events import (
    EVENT_TYPES,
    MAX_RUNNERS,
    check_runner_ids,
    kinds_named,
)
from tests.unit.fakes import published
from tests.unit.runner_events import TS, action, one_of_each, tick

encode = live.ENCODERS[live.DIALECT]("e1")
encode_tagged = live.ENCODERS[live.TAGGED_DIALECT]("e1")
COMMON = {
    "runner_id": "r1",
    "symbol": "BTC/USD",
    "exchange": "CRYPTO",
    "ts": TS // 1000,
    "id": "e1:77",
    "seq": 5,
}
POSITION = {
    "entry_price": 101.0,
    "quantity": 0.1,
    "side": "Long",
    "entry_timestamp": TS // 1_000_000,
    "current_price": 101.0,
    "stop_loss": 98.5,
    "take_profit": None,
    "unrealized_pnl": 0.0,
    "exit_price": None,
    "exit_timestamp": None,
}
BAR = {
    "symbol": "BTC/USD",
    "timestamp": TS // 1_000_000,
    "open": 100.0,
    "high": 101.5,
    "low": 99.0,
    "close": 101.0,
    "volume": 12.5,
    "bid": 100.5,
    "ask": 101.5,
}
OWN: dict[str, dict[str, Any]] = {
    "TickReceived": {"data": BAR},
    "StateTransition": {"from": "Idle", "to": "Analyzing", "reason": "opportunity"},
    "ActionExecuted": {
        "action": {
            "EnterLong": {"price": 101.0, "quantity": 0.1, "stop_loss": None, "take_profit": None}
        },
        "paper": True,
    },
    "PositionOpened": {"position": POSITION, "paper": True},
    "PositionUpdated": {"unrealized_pnl": 1.5, "current_price": 102.5},
    "PositionClosed": {
        "realized_pnl": -0.25,
        "exit_price": 98.5,
        "reason": "stop loss",
        "fees": 0.0,
        "stale": False,
        "position": POSITION,
        "paper": True,
    },
    "Error": {"severity": "Error", "error": "Lua error: x", "line": 7},
    "RunnerStarted": {"away_ms": None, "paper": True},
    "RunnerStopped": {"reason": "asked to"},
}
EVENTS = dict(zip(OWN, one_of_each(), strict=True))


def test_a_tick_is_written_as_the_document_s_client_reads_it() -> None:
    assert encode(published(tick(), 77, seq=5)) == (
        '{"TickReceived":{"runner_id":"r1","symbol":"BTC/USD","exchange":"CRYPTO",'
        f'"ts":{TS // 1000},"id":"e1:77","seq":5,"data":{{"symbol":"BTC/USD",'
        f'"timestamp":{TS // 1_000_000},"open":100.0,"high":101.5,"low":99.0,"close":101.0,'
        '"volume":12.5,"bid":100.5,"ask":101.5}}}'
    )


@pytest.mark.parametrize("name", OWN)
def test_each_event_is_externally_tagged(name: str) -> None:
    written = encode(published(EVENTS[name], 77, seq=5))
    assert json.loads(written) == {name: COMMON | OWN[name]}
    assert "\n" not in written


@pytest.mark.parametrize("name", OWN)
def test_on_request_the_tag_stands_beside_the_data(name: str) -> None:
    written = encode_tagged(published(EVENTS[name], 77, seq=5))
    assert json.loads(written) == {"type": name, "data": COMMON | OWN[name]}


@pytest.mark.parametrize(
    ("done", "written"),
    [
        (Exit(price=9.5), {"Exit": {"price": 9.5}}),
        (UpdateStopLoss(new_stop=9.0), {"UpdateStopLoss": {"new_stop": 9.0}}),
        (UpdateTakeProfit(new_target=11.0), {"UpdateTakeProfit": {"new_target": 11.0}}),
        (StartAnalyzing(reason="why"), {"StartAnalyzing": {"reason": "why"}}),
        (CancelAnalysis(reason="no"), {"CancelAnalysis": {"reason": "no"}}),
        (
            EnterShort(price=1.0, quantity=2.0, take_profit=0.5),
            {
                "EnterShort": {
                    "price": 1.0,
                    "quantity": 2.0,
                    "stop_loss": None,
                    "take_profit": 0.5,
                }
            },
        ),
    ],
)
def test_actions_are_externally_tagged_in_both_forms(done: Action, written: dict[str, Any]) -> None:
    one = published(action(done=done))
    assert json.loads(encode(one))["ActionExecuted"]["action"] == written
    assert json.loads(encode_tagged(one))["data"]["action"] == written


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(runner=st.text(), symbol=st.text(), close=numbers, volume=numbers)
def test_a_tick_survives_the_wire(runner: str, symbol: str, close: float, volume: float) -> None:
    bar: MarketData = msgspec.structs.replace(
        tick().data, symbol=symbol, close=close, volume=volume
    )
    written = encode(published(tick(runner, symbol=symbol, bar=bar)))
    got = json.loads(written)["TickReceived"]
    assert (got["runner_id"], got["symbol"]) == (runner, symbol)
    assert msgspec.convert(got["data"], MarketData) == bar


def test_what_is_no_number_is_null() -> None:
    bar = msgspec.structs.replace(tick().data, bid=float("nan"))
    assert json.loads(encode(published(tick(bar=bar))))["TickReceived"]["data"]["bid"] is None


def test_every_type_of_event_has_a_name() -> None:
    kinds = {each.kind for each in get_args(AnyRunnerEvent)}
    assert kinds == set(EVENT_TYPES.values())
    assert kinds == {kind for kind in Kind if kind.channel is Channel.RUNNERS}
    assert EVENT_TYPES["TickReceived"] is TickReceived.kind


def test_an_unknown_type_is_named_with_those_that_there_are() -> None:
    assert kinds_named(["Error"]) == {Kind.RUNNER_ERROR}
    with pytest.raises(RequestError) as caught:
        kinds_named(["Error", "RunnerError"])
    assert "'RunnerError'" in caught.value.problem
    assert all(name in caught.value.allowed for name in EVENT_TYPES)


@pytest.mark.parametrize("runner", ["a", "btc_ema.prod-2", "A" * 64])
def test_names_of_runners_are_let_pass(runner: str) -> None:
    check_runner_ids([runner])


@pytest.mark.parametrize("runner", ["", "a/b", "a b", "é", "A" * 65, "a\n"])
def test_what_is_no_name_of_a_runner_is_named(runner: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_runner_ids(["fine", runner])
    assert repr(runner[:64]) in caught.value.problem
    assert "1 to 64" in caught.value.allowed


def test_more_runners_than_may_be_named_are_refused() -> None:
    check_runner_ids([str(number) for number in range(MAX_RUNNERS)])
    with pytest.raises(RequestError, match=r"201 runners are named; allowed: 200 names"):
        check_runner_ids([str(number) for number in range(MAX_RUNNERS + 1)])
