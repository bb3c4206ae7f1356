"""Closing what a runner holds when the runner is stopped, wherever its strategy is."""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.core.trading.events import AnyRunnerEvent, Reason
from dashboard.core.trading.hosting import Answer, Failed
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import Account, Committed, MarketData, Program, State


class Closing(NamedTuple):
    """What comes of a closing: events in order, and what the runner holds then."""

    events: Sequence[AnyRunnerEvent]
    committed: Committed


class _Absent:
    """A strategy that is not there: its context and its indicators stay as they are."""

    def __init__(self, committed: Committed) -> None:
        self._committed = committed

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        del bar, function, account
        return None, ()

    def committed(self) -> tuple[str, bytes]:
        return self._committed.context, self._committed.indicators


def close_runner(
    program: Program,
    committed: Committed,
    *,
    price: float,
    timestamp: int,
    reason: Reason = Reason.RUNNER_STOPPED,
    stale: bool = False,
) -> Closing:
    """Bring a runner back to Idle at the last price of its instrument, at a time in ms.

    A position is closed at that price; `stale` marks one of a feed that has gone silent.
    """
    machine = Machine(program, committed, _Absent(committed))
    events = machine.close(price, timestamp=timestamp, reason=reason, stale=stale)
    return Closing(events, machine.committed)
