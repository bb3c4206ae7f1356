"""Where a runner can go from where it is, as a table."""

from collections.abc import Mapping
from enum import StrEnum

from dashboard.core.trading.model import State


class Trigger(StrEnum):
    """What moves a runner; `update` lets it stay where it is, `end` is not its strategy's doing."""

    START = "start"
    CANCEL = "cancel"
    ENTRY = "entry"
    UPDATE = "update"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    END = "end"


TRANSITIONS: Mapping[tuple[State, Trigger], State] = {
    (State.IDLE, Trigger.START): State.ANALYZING,
    (State.ANALYZING, Trigger.CANCEL): State.IDLE,
    (State.ANALYZING, Trigger.ENTRY): State.IN_POSITION,
    (State.ANALYZING, Trigger.END): State.IDLE,
    (State.IN_POSITION, Trigger.UPDATE): State.IN_POSITION,
    (State.IN_POSITION, Trigger.EXIT): State.IDLE,
    (State.IN_POSITION, Trigger.STOP): State.IDLE,
    (State.IN_POSITION, Trigger.TARGET): State.IDLE,
    (State.IN_POSITION, Trigger.END): State.IDLE,
}
"""What is not in it is not allowed."""


def is_allowed(state: State, trigger: Trigger) -> bool:
    """Say whether a trigger means something in this state."""
    return (state, trigger) in TRANSITIONS
