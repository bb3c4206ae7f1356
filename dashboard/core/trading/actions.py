"""What the tables mean that a strategy answers with."""

import math
from collections.abc import Mapping

from dashboard.core.trading.fsm import Trigger, is_allowed
from dashboard.core.trading.hosting import Failed
from dashboard.core.trading.model import (
    Action,
    CancelAnalysis,
    EnterLong,
    EnterShort,
    Exit,
    StartAnalyzing,
    State,
    UpdateStopLoss,
    UpdateTakeProfit,
)

MAX_TEXT = 1000
"""How many characters of a strategy's text are passed on."""
MAX_QUANTITY = 1e15
"""So that no sum of money grows beyond what a float holds."""
TRIGGERS: Mapping[str, Trigger] = {
    "enter_long": Trigger.ENTRY,
    "enter_short": Trigger.ENTRY,
    "exit": Trigger.EXIT,
    "update_stop_loss": Trigger.UPDATE,
    "update_take_profit": Trigger.UPDATE,
    "start_analyzing": Trigger.START,
    "cancel_analysis": Trigger.CANCEL,
}
"""What each action sets off."""

Values = Mapping[str, str | float | bool]


class _RefusedError(Exception):
    """A value is not one that its action can have."""


def find_reason(values: Values) -> str:
    """Give the reason of a table from `detect_opportunity`."""
    return _text(values, "reason") or _text(values, "signal") or "opportunity"


def parse_action(values: Values, *, state: State, close: float) -> Action | Failed:
    """Make an action of a table; one without a price has the close.

    An unknown action is an error. One that the state does not allow, and a number that is none
    or not finite, is a warning.
    """
    name = values.get("action")
    trigger = TRIGGERS.get(name) if isinstance(name, str) else None
    if trigger is None:
        return Failed(f"Strategy error: Unknown action type: {_text(values, 'action') or 'nil'}")
    if not is_allowed(state, trigger):
        allowed = ", ".join(each for each in TRIGGERS if is_allowed(state, TRIGGERS[each]))
        return Failed(f"{name} is not allowed in state {state}; allowed: {allowed}", warning=True)
    try:
        return _parse(str(name), values, close)
    except _RefusedError as refused:
        return Failed(f"{name}: {refused}", warning=True)


def _parse(name: str, values: Values, close: float) -> Action:
    match name:
        case "enter_long" | "enter_short":
            enter = EnterLong if name == "enter_long" else EnterShort
            return enter(
                price=_price(values, close),
                quantity=_quantity(values),
                stop_loss=_optional(values, "stop_loss"),
                take_profit=_optional(values, "take_profit"),
            )
        case "exit":
            return Exit(price=_price(values, close))
        case "update_stop_loss":
            return UpdateStopLoss(new_stop=_number(values, "new_stop"))
        case "update_take_profit":
            return UpdateTakeProfit(new_target=_number(values, "new_target"))
        case "start_analyzing":
            return StartAnalyzing(reason=find_reason(values))
        case _:
            return CancelAnalysis(reason=_text(values, "reason") or "cancel analysis")


def _price(values: Values, close: float) -> float:
    price = _optional(values, "price")
    return close if price is None else price


def _quantity(values: Values) -> float:
    quantity = _number(values, "quantity")
    if not 0 < quantity <= MAX_QUANTITY:
        allowed = f"above 0, at most {MAX_QUANTITY:g}"
        raise _RefusedError(f"quantity {quantity!r} is not allowed; allowed: {allowed}")
    return quantity


def _optional(values: Values, key: str) -> float | None:
    return None if values.get(key) is None else _number(values, key)


def _number(values: Values, key: str) -> float:
    value = values.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    found = "is missing" if value is None else f"{_text(values, key)} is not allowed"
    raise _RefusedError(f"{key} {found}; allowed: a finite number")


def _text(values: Values, key: str) -> str:
    """Give a value as Lua would show it, empty where there is none."""
    value = values.get(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:MAX_TEXT]
