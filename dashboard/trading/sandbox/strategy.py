"""One strategy in a Lua state of its own; see `engine.lua`. It knows no clock."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dashboard.core.errors import StrategyError
from dashboard.core.trading.hosting import (
    Answer,
    Failed,
    Parameter,
    Problem,
    Returned,
    Validated,
)
from dashboard.core.trading.model import Account, Committed, MarketData, Program, State
from dashboard.trading.sandbox.limits import MB, Limits
from dashboard.trading.sandbox.lua_state import (
    LuaState,
    OutOfMemory,
    decode,
    flatten,
    open_state,
)

FUNCTIONS = {None: 0, State.IDLE: 1, State.ANALYZING: 2, State.IN_POSITION: 3}
QUIET, RETURNED, ENDED = 0, 1, 3
"""What a call comes to, beside 2: it failed."""
CLOSED = Failed("Lua error: the strategy has been ended", ends=True)

Values = dict[str, str | float | bool]


def _pair(flat: Sequence[Any]) -> Values:
    """Make a mapping of names and values that take turns."""
    return {
        decode(name): decode(value) if isinstance(value, bytes) else value
        for name, value in zip(flat[::2], flat[1::2], strict=True)
    }


class LuaStrategy:
    """A strategy that has been loaded, anew or with what it held: `hosting.Strategy`.

    `window` are the bars that it goes on with, as many as `bars_wanted` said; see `pack_window`.

    Raises:
        StrategyError: the code cannot run, or a parameter is not one that it takes.
    """

    def __init__(
        self,
        program: Program,
        *,
        limits: Limits,
        committed: Committed | None = None,
        window: bytes = b"",
    ) -> None:
        self.bars_wanted = program.window_size
        self._full = f"Lua error: not enough memory: a runner has {limits.memory_bytes // MB} MB"
        self._context = "{}"
        self._saved = b""
        self._wants_taking = False
        lua = open_state(limits, window_size=program.window_size)
        self._lua: LuaState | None = lua
        try:
            lua.seed(_make_seed(program.seed))
            _run(lua, program)
            self.parameters = _find_parameters(lua)
            _set_parameters(lua, self.parameters, program.parameters)
            if committed is not None:
                self._resume(lua, committed, window)
            self.committed()
        except OutOfMemory:
            raise StrategyError(problem=self._full) from None

    def _resume(self, lua: LuaState, committed: Committed, window: bytes) -> None:
        """Go on with what was committed."""
        context: dict[str, str | float | bool | None] = msgspec.json.decode(committed.context)
        for key, value in context.items():
            if value is not None:
                lua.put(key.encode(), value.encode() if isinstance(value, str) else value)
        lua.resume(window, committed.indicators)

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        """Take a bar in, and call the function of a state with it; None calls none.

        Also give the warnings that came with it. Nothing is raised.
        """
        lua = self._lua
        if lua is None:
            return CLOSED, ()
        try:
            result = lua.advance(
                FUNCTIONS[function],
                bar.timestamp,
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.volume,
                bar.bid,
                bar.ask,
                account.capital,
                account.equity,
                account.realized_pnl,
                account.unrealized_pnl,
            )
        except OutOfMemory:  # in what the engine does itself
            return self._end(self._full), ()
        if result is None:
            return None, ()
        return self._read(*result)

    def _read(
        self, outcome: int, warning: bytes | None = None, *rest: Any
    ) -> tuple[Answer, Sequence[Failed]]:
        """Make an answer of what a call comes to."""
        warnings = () if warning is None else (Failed(decode(warning), warning=True),)
        if outcome == RETURNED:
            return Returned(_pair(rest)), warnings
        if outcome == QUIET:
            return None, warnings
        problem, line = rest if len(rest) == 2 else (*rest, None)
        if outcome == ENDED:
            return self._end(decode(problem), line), warnings
        return Failed(decode(problem), line=line), warnings

    def _end(self, problem: str, line: int | None = None) -> Failed:
        """Give the state's memory back: it is full, and never entered again."""
        self._lua = None
        return Failed(problem, line=line, ends=True)

    def committed(self) -> tuple[str, bytes]:
        """Give the context and the indicators as they are after the last call."""
        lua = self._lua
        if lua is not None:
            self._saved, self.bars_wanted, changed, self._wants_taking = lua.commit()
            if changed:
                context = _pair(flatten(lua.take_context()))
                self._context = msgspec.json.encode(context).decode()
        return self._context, self._saved

    def take_log(self, *, refill: bool) -> list[str]:
        """Take the lines printed until the last commit; `refill` lets as many come as at first."""
        if self._lua is None or not self._wants_taking:
            return []
        return [decode(line) for line in flatten(self._lua.take_lines(refill))]


def validate(code: str, limits: Limits) -> Validated:
    """Say what is wrong with code, by running its top level, and what parameters it has."""
    program = Program(
        runner_id="",
        symbol="",
        exchange="",
        bar="tick",
        strategy_name="",
        version=1,
        code=code,
    )
    try:
        return Validated(parameters=LuaStrategy(program, limits=limits).parameters)
    except StrategyError as error:
        return Validated(problems=(Problem(error.problem, error.line),))


def _run(lua: LuaState, program: Program) -> None:
    """Run the code's top level.

    Raises:
        StrategyError: it is no strategy.
    """
    problem, line = (*flatten(lua.run(program.code.encode(), program.symbol.encode())), None, None)[
        :2
    ]
    if problem is not None:
        raise StrategyError(problem=decode(problem), line=line)


def _find_parameters(lua: LuaState) -> dict[str, Parameter]:
    """Give the parameters that a strategy takes.

    Raises:
        StrategyError: what it calls its parameters are none.
    """
    problem, *flat = flatten(lua.tell_parameters()) or (None,)
    if problem is not None:
        raise StrategyError(problem=decode(problem))
    return {
        decode(name): Parameter(
            default=default,
            min=None if least is False else least,
            max=None if most is False else most,
        )
        for name, default, least, most in zip(*[iter(flat)] * 4, strict=True)
    }


def _set_parameters(
    lua: LuaState, parameters: Mapping[str, Parameter], given: Mapping[str, float]
) -> None:
    """Put the numbers in force in place.

    Raises:
        StrategyError: one is not of the strategy, or not within its bounds.
    """
    for name, value in given.items():
        _check(name, value, parameters)
    for name, parameter in parameters.items():
        lua.set_parameter(name.encode(), given.get(name, parameter.default))


def _make_seed(text: str) -> int:
    """Make what `math.random` begins with."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little", signed=True)


def _check(name: str, value: float, parameters: Mapping[str, Parameter]) -> None:
    """See to it that a parameter is one that the strategy takes.

    Raises:
        StrategyError: it is not.
    """
    parameter = parameters.get(name)
    if parameter is None:
        allowed = ", ".join(parameters) or "none, as the strategy has no parameters"
        raise StrategyError(problem=f"unknown parameter {name!r}; allowed: {allowed}")
    least = -math.inf if parameter.min is None else parameter.min
    most = math.inf if parameter.max is None else parameter.max
    if not least <= value <= most or math.isinf(value):
        allowed = f"a number from {least} to {most}"
        raise StrategyError(problem=f"parameter {name}={value} is not allowed; allowed: {allowed}")
