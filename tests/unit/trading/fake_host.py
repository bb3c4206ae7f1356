"""A host of strategies in Python, which steps a tick as soon as it is given."""

from collections.abc import Callable, Sequence

import msgspec

from dashboard.core.errors import StrategyError
from dashboard.core.trading.events import ActionExecuted, RunnerError
from dashboard.core.trading.hosting import (
    Answer,
    Failed,
    Parameter,
    Problem,
    Returned,
    Stepped,
    Validated,
)
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import (
    Account,
    Committed,
    MarketData,
    Program,
    Severity,
    State,
)

IDLE = "idle"
"""Code of a strategy that does nothing."""
TRADER = "trader"
"""Code of one that enters on the third tick and exits when the price is above 200."""
FAILING = "failing"
"""Code of one whose every call fails."""
BROKEN = "broken"
"""Code that is none."""
PARAMETERS = {"fast": Parameter(default=10, min=2, max=50), "any": Parameter(default=1)}


class FakeStrategy:
    """A strategy that answers as its code says, and counts its ticks in its context."""

    def __init__(self, code: str, committed: Committed | None, window: int) -> None:
        self._code = code
        self.context = msgspec.json.decode(committed.context) if committed else {}
        self.bars = window

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        self.bars += 1
        self.context["ticks"] = self.context.get("ticks", 0) + 1
        return self._answer(bar, function), ()

    def _answer(self, bar: MarketData, function: State | None) -> Answer:
        if self._code == FAILING:
            return Failed("Lua error: it fails", line=3)
        if self._code != TRADER:
            return None
        match function:
            case State.IDLE:
                return Returned({"signal": "go"}) if self.context["ticks"] >= 2 else None
            case State.ANALYZING:
                return Returned({"action": "enter_long", "quantity": 2.0, "stop_loss": 50.0})
            case _:
                return Returned({"action": "exit"}) if bar.close > 200 else None

    def committed(self) -> tuple[str, bytes]:
        return msgspec.json.encode(self.context).decode(), str(self.bars).encode()


class FakeHost:
    """Implements `core.trading.hosting.Host`; a runner that `waits` is stepped when drained."""

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}
        self.programs: dict[str, Program] = {}
        self.windows: dict[str, list[MarketData]] = {}
        self.lacking: Sequence[str] = ()
        self.waits = False
        self._stepped: dict[str, Callable[[Stepped], None]] = {}
        self._ended: dict[str, Callable[[str], None]] = {}
        self._waiting: dict[str, list[MarketData]] = {}

    async def validate(self, code: str) -> Validated:
        if code == BROKEN:
            return Validated(problems=[Problem("unexpected symbol near 'broken'", 1)])
        return Validated(parameters=PARAMETERS if code == TRADER else {})

    async def load(
        self,
        program: Program,
        *,
        committed: Committed | None,
        window: Sequence[MarketData],
        stepped: Callable[[Stepped], None],
        ended: Callable[[str], None],
    ) -> None:
        if program.code == BROKEN:
            raise StrategyError(problem="it does not run", line=1)
        runner_id = program.runner_id
        strategy = FakeStrategy(program.code, committed, len(window))
        self.machines[runner_id] = Machine(program, committed, strategy)
        self.programs[runner_id] = program
        self.windows[runner_id] = list(window)
        self._stepped[runner_id] = stepped
        self._ended[runner_id] = ended
        self._waiting[runner_id] = []

    def give(self, runner_id: str, tick: MarketData) -> None:
        self._waiting[runner_id].append(tick)
        if not self.waits:
            self._step(runner_id)

    async def drain(self, runner_id: str) -> None:
        if runner_id in self.machines:
            self._step(runner_id)

    def unload(self, runner_id: str) -> None:
        for each in (self.machines, self.programs, self.windows, self._waiting):
            each.pop(runner_id, None)

    def end(self, runner_id: str, reason: str) -> None:
        """End a runner as the sandbox does."""
        self.unload(runner_id)
        self._ended[runner_id](reason)

    def tell(self, runner_id: str, stepped: Stepped) -> None:
        """Tell what came of ticks that nobody has given."""
        self._stepped[runner_id](stepped)

    def _step(self, runner_id: str) -> None:
        ticks, self._waiting[runner_id] = self._waiting[runner_id], []
        if not ticks:
            return
        machine = self.machines[runner_id]
        events = [event for tick in ticks for event in machine.step(tick)]
        self._stepped[runner_id](
            Stepped(
                events=events,
                committed=machine.committed,
                ticks=len(ticks),
                total_us=10.0 * len(ticks),
                min_us=8.0,
                max_us=12.0,
                actions=sum(isinstance(each, ActionExecuted) for each in events),
                errors=sum(
                    isinstance(each, RunnerError) and each.severity is not Severity.WARNING
                    for each in events
                ),
                bars_wanted=self.programs[runner_id].window_size,
            )
        )
        if machine.ended is not None:
            self.end(runner_id, machine.ended)
