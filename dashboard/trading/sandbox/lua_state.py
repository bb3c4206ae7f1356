"""A Lua state with the engine in it: the one place that knows the library.

Only numbers, strings and booleans go in and come out, strings as bytes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from lupa import lua54

from dashboard.trading.sandbox.limits import MB, Limits


def _compile(name: str) -> bytes:
    """Compile a file of the engine once for all states: that takes most of making one."""
    lua: Any = cast("Any", lua54).LuaRuntime(encoding=None)
    source = Path(__file__).with_name(f"{name}.lua").read_bytes()
    return lua.eval(b"string.dump")(lua.compile(source, name=f"={name}".encode()))


CHUNKS = {
    name: _compile(name)
    for name in (
        "order",
        "environment",
        "indicators",
        "calls",
        "context",
        "parameters",
        "engine",
    )
}
SPARE_BYTES = MB
"""What a state may take beyond its limit, so that Python can always enter it: a full state ends
the process when it is handed as much as a name."""

OutOfMemory: type[Exception] = cast("Any", lua54).LuaMemoryError
"""What is raised where a function of the engine finds no memory."""


class LuaState(NamedTuple):
    """The functions of the engine, whose files say what they do; what they return is flat.

    One value comes as it is, several as a tuple, none as None.
    """

    run: Callable[[bytes, bytes], Any]
    advance: Callable[..., Any]
    commit: Callable[[], tuple[bytes, int, bool, bool]]
    resume: Callable[[bytes, bytes], None]
    tell_parameters: Callable[[], Any]
    set_parameter: Callable[[bytes, float], None]
    put: Callable[[bytes, bytes | float | bool], None]
    take_context: Callable[[], Any]
    seed: Callable[[int], None]
    take_lines: Callable[[bool], Any]


def open_state(limits: Limits, *, window_size: int) -> LuaState:
    """Make a state for one strategy."""
    lua: Any = cast("Any", lua54).LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        attribute_filter=_refuse,
        max_memory=limits.memory_bytes + SPARE_BYTES,
    )
    lua.execute(b"python = nil; package.loaded.python = nil")

    def begin(name: str, *given: object) -> Any:
        return lua.execute(CHUNKS[name], *given)

    surroundings = begin("environment", begin("order"), limits.log_bytes)
    indicators = begin("indicators", window_size, limits.indicators)
    calls = begin("calls", limits.instructions, limits.error_bytes)
    context = begin("context", limits.context_bytes, calls[b"cut"])
    parameters = begin("parameters", surroundings[b"environment"])
    engine = begin("engine", surroundings, indicators, calls, context, limits.memory_bytes)
    return LuaState(
        run=engine[b"run"],
        advance=engine[b"advance"],
        commit=engine[b"commit"],
        resume=engine[b"resume"],
        tell_parameters=parameters[b"tell"],
        set_parameter=parameters[b"set"],
        put=context[b"put"],
        take_context=context[b"take"],
        seed=surroundings[b"seed"],
        take_lines=surroundings[b"take_lines"],
    )


def flatten(values: Any) -> tuple[Any, ...]:
    """Give what a function has returned, however much it was."""
    if values is None:
        return ()
    return cast("tuple[Any, ...]", values) if isinstance(values, tuple) else (values,)


def decode(value: bytes) -> str:
    """Give text that a strategy has made; it may be anything."""
    return value.decode(errors="replace")


def _refuse(_target: object, _name: object, _setting: bool) -> object:
    """Refuse Lua each attribute of each Python object; it has none to begin with."""
    raise AttributeError
