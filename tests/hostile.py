"""Strategies that try to hurt the server: what each does on a tick, and what is to come of it."""

from enum import Enum
from typing import NamedTuple

from tests.lua import code


class Fate(Enum):
    """What becomes of a hostile strategy."""

    FAILS = "each call fails, and it goes on"
    ENDS = "it is ended"
    GOES_ON = "it has what it may have, and goes on"


class Hostile(NamedTuple):
    """A strategy, its fate, and what its first error says."""

    text: str
    fate: Fate
    error: str = ""


INSTRUCTIONS = "more than 10000000 instructions in a call"
MEMORY = "not enough memory: a runner has 32 MB"
CPU = "a call took more than 300 ms of CPU time"
BOMB = "('a'):rep(100000):find('.-.-.-.-b$')"


def _fails(body: str, error: str = INSTRUCTIONS) -> Hostile:
    return Hostile(code(body), Fate.FAILS, error)


def _ends(body: str, error: str = MEMORY) -> Hostile:
    return Hostile(code(body), Fate.ENDS, error)


def _goes_on(body: str) -> Hostile:
    return Hostile(code(body), Fate.GOES_ON)


KINDS = {
    # What would lead out of the sandbox.
    "the python table": _fails("python.eval('1')", "global 'python'"),
    "python.none": _fails("local c = python.none.__class__", "global 'python'"),
    "builtins.getattr": _fails("python.builtins.getattr(0, 'x')", "global 'python'"),
    "what pcall gives": _fails(
        "local _, e = pcall(error, {}); e = e.__class__.__mro__; e = e.x",
        "attempt to index a nil value",
    ),
    "a callback's globals": _fails("local g = print.__globals__", "attempt to index a function"),
    "load": _fails("load('return 1')()", "global 'load'"),
    "string.dump": _fails("string.dump(print)", "field 'dump'"),
    "dump by a method": _fails("('x').dump(print)", "field 'dump'"),
    "package": _fails("package.loadlib('x', 'y')", "global 'package'"),
    "require": _fails("require('os')", "global 'require'"),
    "os": _fails("os.execute('true')", "global 'os'"),
    "debug": _fails("debug.getregistry()", "global 'debug'"),
    "collectgarbage": _fails("collectgarbage('stop')", "global 'collectgarbage'"),
    "coroutine": _fails("coroutine.wrap(print)()", "global 'coroutine'"),
    "the metatable of strings": _fails(
        "getmetatable('').__index = nil", "attempt to index a nil value"
    ),
    "__gc": _fails("setmetatable({}, {__gc = function() while true do end end})", "takes no __gc"),
    # What would not end.
    "a loop": _fails("while true do end"),
    "a loop in pcall": _fails("while true do pcall(function() while true do end end) end"),
    "pcall in its tail": _fails("return pcall(function() while true do end end)"),
    "a loop in xpcall": _fails(
        "while true do xpcall(function() while true do end end, function() while true do end end)"
        " end"
    ),
    "a loop in a metamethod": _fails(
        "local t = setmetatable({}, {__index = function() while true do end end}); t = t.x"
    ),
    "a loop in a late __close": _fails(
        "local m = {}; local t = setmetatable({}, m); m.__close = function() while true do end"
        " end; do local x <close> = t; end"
    ),
    "a loop in __tostring": _fails(
        "error(tostring(setmetatable({}, {__tostring = function() while true do end end})))"
    ),
    "a loop in a comparator": _fails("table.sort({3, 2, 1}, function() while true do end end)"),
    "a loop in gsub": _fails("string.gsub('x', '.', function() while true do end end)"),
    "a loop through next": _fails("while next({1}) do end"),
    "a pattern": _ends(BOMB, CPU),
    "a pattern in pcall": _ends(f"pcall(function() {BOMB} end)", CPU),
    "string.rep of nothing": _ends("(''):rep(1e18)", CPU),
    "table.move": _ends("table.move({}, 1, 1e18, 2)", CPU),
    # What would take all memory.
    "concatenation": _ends("local s = 'x'; while true do s = s .. s end"),
    "table.concat": _ends(
        "local t = {}; for i = 1, 100000 do t[i] = ('x'):rep(1000) .. i end; table.concat(t)"
    ),
    "tables": _ends("local t = {}; while true do t = {t} end"),
    "a global kept": _ends("kept = (kept or '') .. ('x'):rep(4000000)"),
    "memory in pcall": _ends(
        "kept = kept or {}; pcall(function() while true do kept[#kept + 1] = {} end end)"
    ),
    "recursion": _ends("local function f() return 1 + f() end; f()"),
    "recursion in pcall": _goes_on("local function f() return pcall(f) end; f()"),
    # What would flood.
    "a context": _fails("for i = 1, 100000 do context['key' .. i] = i end", "Context over 64 KB"),
    "a text in the context": _fails("context.x = ('x'):rep(100000)", "Context over 64 KB"),
    "a log": _goes_on("for i = 1, 10000 do print(('x'):rep(100)) end"),
    "an error": _fails("error(('x'):rep(1000000), 0)", "xxx"),
    # What would put the engine off.
    "string replaced": _fails(
        "string.format, string.rep = nil, nil; string = nil; ('x'):rep(1)", "method 'rep'"
    ),
    "all replaced": _goes_on(
        """for name in pairs and pairs(_ENV) or function() end do
             if name ~= "detect_opportunity" then _ENV[name] = nil end
           end"""
    ),
    "its tables poisoned": _goes_on(
        """for _, t in ipairs({market_data, context, indicators, account}) do
             setmetatable(t, {__index = error, __newindex = error, __pairs = error, __len = error,
               __eq = error, __tostring = error, __call = error})
           end"""
    ),
    "an answer that is poisoned": _goes_on(
        "context.n = 1; return nil, setmetatable({}, {__index = error})"
    ),
    # What stays just under each limit.
    "just under all instructions": _goes_on("for i = 1, 4500000 do end"),
    "just under all memory": _goes_on(
        "kept = kept or ('x'):rep(15000000); local s = ('y'):rep(6000000)"
    ),
    "just under the context": _goes_on(
        "context.x = ('x'):rep(65000); context.n = (context.n or 0) + 1"
    ),
    "just under the CPU time": _goes_on("('a'):rep(380):find('.-.-b$')"),
}
"""By what they use; "just under" runs for as long as one lets it."""

TOP_LEVEL = {
    "a loop": ("while true do end", INSTRUCTIONS),
    "a pattern": (f"local x = {BOMB}", CPU),
    "memory": ("local t = {} while true do t = {t} end", MEMORY),
    "nesting": ("x = " + 100_000 * "{", "overflow"),
    "an escape": ("x = python.eval('1')", "global 'python'"),
    "bytecode": ("\x1bLua", "attempt to load a binary chunk"),
}
"""What code does when it is loaded or validated."""
