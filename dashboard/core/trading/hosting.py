"""Who runs strategies, as the registry of runners and the step see them: two protocols."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from dashboard.core.trading.events import AnyRunnerEvent
from dashboard.core.trading.model import Account, Committed, MarketData, Program, State


class Returned(msgspec.Struct, frozen=True, gc=False):
    """The table that a function of the strategy has answered with, plain values alone."""

    values: Mapping[str, str | float | bool]


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A call that failed. `warning` marks what only lost something; `ends` what ends the runner."""

    error: str
    line: int | None = None
    warning: bool = False
    ends: bool = False


Answer = Returned | Failed | None


class Strategy(Protocol):
    """One runner's strategy with its window, indicators and context, wherever it is held."""

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        """Take a bar in, and call the function of a state with it; None calls none.

        Also give the warnings that came with it. Nothing is raised.
        """
        ...

    def committed(self) -> tuple[str, bytes]:
        """Give the context and the indicators as they are after the last call."""
        ...


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    """What came of some ticks of a runner, all or none of it: events in order, and what it holds.

    `log` are lines that the strategy has printed. Times are those that the steps took.
    `bars_wanted` is how many bars the window is to keep, its own size or more.
    """

    events: Sequence[AnyRunnerEvent]
    committed: Committed
    ticks: int
    dropped: int = 0
    total_us: float = 0.0
    min_us: float = 0.0
    max_us: float = 0.0
    actions: int = 0
    errors: int = 0
    bars_wanted: int = 0
    log: Sequence[str] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why code is no strategy; `line` counts from 1, None where it is about the whole."""

    message: str
    line: int | None = None


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a strategy lets be set; None where a bound is open."""

    default: float
    min: float | None = None
    max: float | None = None


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a strategy's code: it is valid when there is no problem."""

    problems: Sequence[Problem] = ()
    parameters: Mapping[str, Parameter] = {}


class Host(Protocol):
    """Runs strategies in processes of their own; a runner is known by its id."""

    @property
    def lacking(self) -> Sequence[str]:
        """Name the layers of the sandbox that this system has not."""
        ...

    async def validate(self, code: str) -> Validated:
        """Say what is wrong with code, and what parameters it has."""
        ...

    async def load(
        self,
        program: Program,
        *,
        committed: Committed | None,
        window: Sequence[MarketData],
        stepped: Callable[[Stepped], None],
        ended: Callable[[str], None],
    ) -> None:
        """Make a runner ready, anew or with what it held; `window` is oldest first.

        `stepped` is called with what came of its ticks, in their order. `ended` is called once,
        with the reason, when the sandbox has ended it: it is unloaded then.

        Raises:
            StrategyError: the code cannot run.
        """
        ...

    def give(self, runner_id: str, tick: MarketData) -> None:
        """Hand over a tick; of too many the oldest are dropped, and counted."""
        ...

    async def drain(self, runner_id: str) -> None:
        """Wait until all that was given has been stepped, or the runner has ended."""
        ...

    def unload(self, runner_id: str) -> None:
        """Forget a runner and what waits for it. One that is not there is no error."""
        ...
