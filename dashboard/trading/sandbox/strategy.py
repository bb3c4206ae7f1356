"""One strategy in a Lua state of its own; see `engine.lua`. It knows no clock."""

import hashlib
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from lupa.lua54 import LuaMemoryError, LuaRuntime

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

LUA = Path(__file__).parent
ENVIRONMENT, INDICATORS, ENGINE = (
    (LUA / name).read_bytes() for name in ("environment.lua", "indicators.lua", "engine.lua")
)
SPARE_BYTES = MB
"""What a state may take beyond its limit, so that Python can always enter it: a full state ends
the process when it is handed as much as a name."""

FUNCTIONS = {None: 0, State.IDLE: 1, State.ANALYZING: 2, State.IN_POSITION: 3}
RETURNED, FAILED, ENDED = 1, 2, 3
NO_ACCOUNT = Account(capital=0.0, equity=0.0, realized_pnl=0.0, unrealized_pnl=0.0)
CLOSED = Failed("Lua error: the strategy has been ended", ends=True)

Values = dict[str, str | float | bool]


def _refuse(_target: object, _name: object, _setting: bool) -> object:
    """Refuse Lua each attribute of each Python object; it has none to begin with."""
    raise AttributeError


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _flat(values: Any) -> tuple[Any, ...]:
    """Give what a Lua function has returned, however much it was."""
    if values is None:
        return ()
    return values if isinstance(values, tuple) else (values,)  # pyright: ignore[reportUnknownVariableType] - Lua's


def _pair(flat: Sequence[Any]) -> Values:
    """Make a mapping of names and values that take turns."""
    return {
        _text(name): _text(value) if isinstance(value, bytes) else value
        for name, value in zip(flat[::2], flat[1::2], strict=True)
    }


class LuaStrategy:
    """A strategy that has been loaded, anew or with what it held: `hosting.Strategy`.

    `window` are the bars that it goes on with, oldest first: as many as `bars_wanted` said.

    Raises:
        StrategyError: the code cannot run, or a parameter is not one that it takes.
    """

    def __init__(
        self,
        program: Program,
        *,
        limits: Limits,
        committed: Committed | None = None,
        window: Sequence[MarketData] = (),
    ) -> None:
        self.bars_wanted = program.window_size
        self._full = f"Lua error: not enough memory: a runner has {limits.memory_bytes // MB} MB"
        self._context = "{}"
        self._saved = b""
        self._is_closed = False
        self._wants_taking = False
        self._open(limits, program.window_size)
        try:
            self._seed(_make_seed(program.seed))
            self._run(program)
            if committed is not None:
                self._resume(committed, window)
            self.committed()
        except LuaMemoryError:
            raise StrategyError(problem=self._full) from None

    def _open(self, limits: Limits, window_size: int) -> None:
        lua = self._lua = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse,
            max_memory=limits.memory_bytes + SPARE_BYTES,
        )
        lua.execute(b"python = nil; package.loaded.python = nil")
        parts = lua.execute(ENVIRONMENT, limits.log_bytes, name=b"=environment")
        indicators = lua.execute(INDICATORS, window_size, limits.indicators, name=b"=indicators")
        (
            self._run_code,
            self._tell_parameters,
            self._set_parameter,
            self._seed,
            self._put,
            self._restore,
            self._advance,
            self._commit,
            self._take_context,
            self._take_lines,
        ) = lua.execute(
            ENGINE,
            parts,
            indicators,
            limits.memory_bytes,
            limits.instructions,
            limits.context_bytes,
            limits.error_bytes,
            name=b"=engine",
        )

    def _run(self, program: Program) -> None:
        """Run the top level, and set the parameters."""
        failure = self._run_code(program.code.encode(), program.symbol.encode())
        if failure is not None:
            problem, line = failure if isinstance(failure, tuple) else (failure, None)
            raise StrategyError(problem=_text(problem), line=line)
        self.parameters = self._find_parameters()
        numbers = {name: each.default for name, each in self.parameters.items()}
        for name, value in program.parameters.items():
            _check(name, value, self.parameters)
            numbers[name] = value
        for name, value in numbers.items():
            self._set_parameter(name.encode(), value)

    def _find_parameters(self) -> dict[str, Parameter]:
        problem, *flat = _flat(self._tell_parameters()) or (None,)
        if problem is not None:
            raise StrategyError(problem=_text(problem))
        return {
            _text(flat[at]): Parameter(
                default=flat[at + 1],
                min=None if flat[at + 2] is False else flat[at + 2],
                max=None if flat[at + 3] is False else flat[at + 3],
            )
            for at in range(0, len(flat), 4)
        }

    def _resume(self, committed: Committed, window: Sequence[MarketData]) -> None:
        """Go on with what was committed."""
        self._context = committed.context
        context: Values = msgspec.json.decode(committed.context)
        for key, value in context.items():
            if value is not None:
                self._put(key.encode(), value.encode() if isinstance(value, str) else value)
        if not committed.indicators:
            for bar in window:
                self.advance(bar, function=None, account=NO_ACCOUNT)
            return
        bars = b"".join(
            struct.pack("<dddd", bar.high, bar.low, bar.close, bar.volume) for bar in window
        )
        self._restore(bars, committed.indicators)

    def advance(
        self, bar: MarketData, *, function: State | None, account: Account
    ) -> tuple[Answer, Sequence[Failed]]:
        """Take a bar in, and call the function of a state with it; None calls none.

        Also give the warnings that came with it. Nothing is raised.
        """
        if self._is_closed:
            return CLOSED, ()
        try:
            result = self._advance(
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
        except LuaMemoryError:  # in what the engine does itself
            result = (ENDED, None, self._full.encode())
        if result is None:
            return None, ()
        return self._read(*result)

    def _read(
        self, outcome: int, warning: bytes | None, *rest: Any
    ) -> tuple[Answer, Sequence[Failed]]:
        warnings = () if warning is None else (Failed(_text(warning), warning=True),)
        if outcome == RETURNED:
            return Returned(_pair(rest)), warnings
        if outcome not in (FAILED, ENDED):
            return None, warnings
        line = rest[1] if len(rest) > 1 else None
        if outcome == ENDED:
            self._close()
        return Failed(_text(rest[0]), line=line, ends=outcome == ENDED), warnings

    def _close(self) -> None:
        """Give the state's memory back: it is full, and never entered again."""
        self._is_closed = True
        self._lua = self._advance = self._commit = self._take_context = self._take_lines = None
        self._run_code = self._tell_parameters = self._set_parameter = None
        self._seed = self._put = self._restore = None

    def committed(self) -> tuple[str, bytes]:
        """Give the context and the indicators as they are after the last call."""
        if not self._is_closed:
            self._saved, self.bars_wanted, changed, self._wants_taking = self._commit()
            if changed:
                context = _pair(_flat(self._take_context()))
                self._context = msgspec.json.encode(context).decode()
        return self._context, self._saved

    def take_log(self, *, refill: bool) -> list[str]:
        """Take the lines printed until the last commit; `refill` lets as many come as at first."""
        if self._is_closed or not self._wants_taking:
            return []
        return [_text(line) for line in _flat(self._take_lines(refill))]


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


def _make_seed(text: str) -> int:
    """Make what `math.random` begins with."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little", signed=True)


def _check(name: str, value: float, parameters: dict[str, Parameter]) -> None:
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
