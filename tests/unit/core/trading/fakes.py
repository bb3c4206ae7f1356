"""A strategy in Python, and short ways to say what it is run on."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboard.core.trading.events import AnyRunnerEvent
from dashboard.core.trading.hosting import Answer, Failed, Returned
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import (
    Account,
    Committed,
    MarketData,
    Program,
    RunnerConfig,
    State,
)

Said = Mapping[str, Any] | Answer
"""A table, or what becomes of a call."""
Decide = Callable[[MarketData, State | None, Account], Said]

DETECT = {"signal": "up"}
LONG = {"action": "enter_long", "quantity": 2.0}
SHORT = {"action": "enter_short", "quantity": 2.0}
EXIT = {"action": "exit"}


class FakeStrategy:
    """Answers as `decide` says, or with the table of a list that is due; counts in its context."""

    def __init__(
        self,
        decide: Decide | Sequence[Said] = (),
        *,
        committed: Committed | None = None,
        warnings: Sequence[Failed] = (),
    ) -> None:
        self.calls: list[tuple[State | None, Account]] = []
        self.bars: list[MarketData] = []
        self.warnings = warnings
        self._decide = decide
        self.count: int = json.loads(committed.context)["count"] if committed else 0

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        self.bars.append(bar)
        self.calls.append((function, account))
        if callable(self._decide):
            said = self._decide(bar, function, account)
        else:
            said = self._decide[self.count] if self.count < len(self._decide) else None
        self.count += 1
        return Returned(said) if isinstance(said, Mapping) else said, self.warnings

    def committed(self) -> tuple[str, bytes]:
        return json.dumps({"count": self.count}), b""


def bar(
    close: float,
    *,
    at: int = 1000,
    opens: float | None = None,
    high: float | None = None,
    low: float | None = None,
    bid: float | None = None,
    ask: float | None = None,
    volume: float = 1.0,
) -> MarketData:
    """Make a bar, or a tick; what is not said is the close."""
    return MarketData(
        symbol="BTCUSDT",
        timestamp=at,
        open=close if opens is None else opens,
        high=close if high is None else high,
        low=close if low is None else low,
        close=close,
        volume=volume,
        bid=close if bid is None else bid,
        ask=close if ask is None else ask,
    )


def program(*, length: str = "1m", stop_on_error: bool = False) -> Program:
    return Program(
        runner_id="one",
        symbol="BTCUSDT",
        exchange="SIM",
        bar=length,
        strategy_name="fake",
        version=1,
        code="",
        config=RunnerConfig(stop_on_error=stop_on_error),
    )


def machine(strategy: FakeStrategy, *, length: str = "1m", stop_on_error: bool = False) -> Machine:
    return Machine(program(length=length, stop_on_error=stop_on_error), None, strategy)


def names(events: Sequence[AnyRunnerEvent]) -> list[str]:
    return [type(event).__name__ for event in events]
