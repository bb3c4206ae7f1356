from itertools import product

import pytest

from dashboard.core.trading.fsm import TRANSITIONS, Trigger, is_allowed
from dashboard.core.trading.model import State

ALLOWED = {
    State.IDLE: {Trigger.START: State.ANALYZING},
    State.ANALYZING: {
        Trigger.CANCEL: State.IDLE,
        Trigger.ENTRY: State.IN_POSITION,
        Trigger.END: State.IDLE,
    },
    State.IN_POSITION: {
        Trigger.UPDATE: State.IN_POSITION,
        Trigger.EXIT: State.IDLE,
        Trigger.STOP: State.IDLE,
        Trigger.TARGET: State.IDLE,
        Trigger.END: State.IDLE,
    },
}


@pytest.mark.parametrize(("state", "trigger"), list(product(State, Trigger)))
def test_each_state_knows_what_each_trigger_does(state: State, trigger: Trigger) -> None:
    assert TRANSITIONS.get((state, trigger)) == ALLOWED[state].get(trigger)
    assert is_allowed(state, trigger) == (trigger in ALLOWED[state])
