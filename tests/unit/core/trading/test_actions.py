import math
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trading.actions import TRIGGERS, find_reason, parse_action
from dashboard.core.trading.fsm import is_allowed
from dashboard.core.trading.hosting import Failed
from dashboard.core.trading.model import (
    CancelAnalysis,
    EnterLong,
    EnterShort,
    Exit,
    State,
    UpdateStopLoss,
    UpdateTakeProfit,
)

ANALYZING, IN_POSITION = State.ANALYZING, State.IN_POSITION


def parse(state: State = ANALYZING, **values: Any) -> object:
    return parse_action(values, state=state, close=100.0)


def test_each_action_is_read() -> None:
    assert parse(action="enter_long", quantity=2, price=99, stop_loss=90, take_profit=120) == (
        EnterLong(price=99.0, quantity=2.0, stop_loss=90.0, take_profit=120.0)
    )
    assert parse(action="enter_short", quantity=0.5) == EnterShort(price=100.0, quantity=0.5)
    assert parse(action="cancel_analysis", reason="flat") == CancelAnalysis(reason="flat")
    assert parse(IN_POSITION, action="exit") == Exit(price=100.0)
    assert parse(IN_POSITION, action="exit", price=101) == Exit(price=101.0)
    assert parse(IN_POSITION, action="update_stop_loss", new_stop=95) == UpdateStopLoss(
        new_stop=95.0
    )
    assert parse(IN_POSITION, action="update_take_profit", new_target=130) == UpdateTakeProfit(
        new_target=130.0
    )


def test_a_cancel_without_a_reason_has_its_name() -> None:
    assert parse(action="cancel_analysis") == CancelAnalysis(reason="cancel analysis")


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"action": "buy"}, "buy"),
        ({"action": ""}, "nil"),
        ({}, "nil"),
        ({"action": 5.5}, "5.5"),
        ({"action": True}, "true"),
    ],
)
def test_an_unknown_action_is_an_error(values: dict[str, Any], shown: str) -> None:
    assert parse(**values) == Failed(f"Strategy error: Unknown action type: {shown}")


@pytest.mark.parametrize(("state", "name"), list(product((ANALYZING, IN_POSITION), TRIGGERS)))
def test_what_the_state_does_not_allow_is_a_warning_that_names_what_it_does(
    state: State, name: str
) -> None:
    found = parse(state, action=name, quantity=1, new_stop=1, new_target=1, reason="why", price=100)
    if is_allowed(state, TRIGGERS[name]):
        assert not isinstance(found, Failed)
    else:
        allowed = {
            ANALYZING: "enter_long, enter_short, cancel_analysis",
            IN_POSITION: "exit, update_stop_loss, update_take_profit",
        }[state]
        problem = f"{name} is not allowed in state {state}; allowed: {allowed}"
        assert found == Failed(problem, warning=True)


NOT_FINITE = (math.nan, math.inf, -math.inf, "2", True)


@pytest.mark.parametrize("quantity", [*NOT_FINITE, 0, -1.5, 1e300, None])
def test_a_quantity_is_finite_and_above_0(quantity: object) -> None:
    found = parse(action="enter_long", quantity=quantity)
    assert isinstance(found, Failed)
    assert found.warning
    assert "quantity" in found.error
    assert "allowed:" in found.error


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("enter_long", "price"),
        ("enter_long", "stop_loss"),
        ("enter_short", "take_profit"),
        ("exit", "price"),
        ("update_stop_loss", "new_stop"),
        ("update_take_profit", "new_target"),
    ],
)
def test_prices_are_finite(name: str, key: str, value: object) -> None:
    state = ANALYZING if name.startswith("enter") else IN_POSITION
    found = parse(state, action=name, quantity=1, **{key: value})
    assert isinstance(found, Failed)
    assert found.warning
    assert f"{name}: {key} " in found.error
    assert "allowed: a finite number" in found.error


@pytest.mark.parametrize(
    ("name", "key"), [("update_stop_loss", "new_stop"), ("update_take_profit", "new_target")]
)
def test_an_update_needs_its_number(name: str, key: str) -> None:
    assert parse(IN_POSITION, action=name) == Failed(
        f"{name}: {key} is missing; allowed: a finite number", warning=True
    )


def test_the_reason_of_a_detection_is_reason_else_signal_else_opportunity() -> None:
    assert find_reason({"reason": "cross", "signal": "up"}) == "cross"
    assert find_reason({"reason": "", "signal": "up"}) == "up"
    assert find_reason({"signal": 3.5}) == "3.5"
    assert find_reason({"confidence": 0.9}) == "opportunity"


def test_a_long_text_of_a_strategy_is_cut() -> None:
    assert len(find_reason({"reason": "x" * 5000})) == 1000
    found = parse(action="x" * 5000)
    assert isinstance(found, Failed)
    assert len(found.error) < 1100


@given(
    st.dictionaries(
        st.sampled_from(("action", "price", "quantity", "stop_loss", "new_stop", "reason")),
        st.one_of(st.sampled_from(sorted(TRIGGERS)), st.text(), st.floats(), st.booleans()),
    ),
    st.sampled_from((ANALYZING, IN_POSITION)),
)
def test_any_table_is_an_action_with_finite_numbers_or_a_failure(
    values: dict[str, Any], state: State
) -> None:
    found = parse_action(values, state=state, close=100.0)
    if isinstance(found, EnterLong | EnterShort):
        assert math.isfinite(found.price)
        assert 0 < found.quantity < math.inf
