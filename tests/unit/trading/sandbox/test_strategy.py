"""What a strategy's calls come to, what it keeps, and what it goes on with elsewhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import StrategyError
from dashboard.core.trading.hosting import Failed, Parameter, Problem, Returned, Validated
from dashboard.core.trading.model import Committed, State
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.strategy import LuaStrategy, validate
from tests.lua import ACCOUNT, Detecting, bar, code, evaluate, program

# What a strategy gets.


def test_the_bar_and_the_account_reach_it() -> None:
    fields = [
        "symbol",
        "timestamp",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "bid",
        "ask",
        "mid_price",
    ]
    text = " .. ' ' .. ".join(f"tostring(market_data.{name})" for name in fields)
    given = bar(100.0, timestamp=5, high=101.0, low=99.0, volume=2.0)
    assert Detecting(f"return {{signal = {text}}}").see(given) == (
        "BTCUSDT 5 100.0 101.0 99.0 100.0 2.0 99.5 100.5 100.0"
    )
    fields = ["capital", "equity", "realized_pnl", "unrealized_pnl"]
    text = " .. ' ' .. ".join(f"tostring(account.{name})" for name in fields)
    assert evaluate(text) == "100000.0 100000.0 0.0 0.0"


@pytest.mark.parametrize(
    ("state", "name"),
    [(State.IDLE, "detect"), (State.ANALYZING, "filter"), (State.IN_POSITION, "manage")],
)
def test_the_function_of_the_state_is_called(state: State, name: str) -> None:
    def answer(of: str) -> str:
        return f"return {{reason = '{of}'}}"

    text = code(answer("detect"), commit=answer("filter"), manage=answer("manage"))
    strategy = LuaStrategy(program(text), limits=Limits())
    assert strategy.advance(bar(), function=state, account=ACCOUNT) == (
        Returned({"reason": name}),
        (),
    )


def test_a_bar_may_come_without_a_call() -> None:
    strategy = Detecting("return {signal = indicators.sma(2)}")
    strategy.strategy.advance(bar(1.0), function=None, account=ACCOUNT)
    assert strategy.see(bar(2.0)) == 1.5


def test_what_a_strategy_does_to_its_tables_stays_its_own() -> None:
    strategy = Detecting(
        """if context.n then return end
        context.n = 1
        market_data.close, indicators.sma, account.equity = 1, nil, nil
        setmetatable(market_data, {__index = error, __newindex = error})
        setmetatable(context, {__index = error, __newindex = error, __pairs = error})
        setmetatable(_ENV, {__index = error})
        string.format, table.concat, rawget = nil, nil, nil
        string = nil"""
    )
    for _ in range(3):
        assert strategy.step() is None


# What it answers.


def test_of_an_answer_the_fields_that_mean_something_are_taken() -> None:
    answer = Detecting(
        "return setmetatable({signal = 'up', confidence = 0.5, other = 1, [1] = 2},"
        " {__index = error})"
    ).step()
    assert answer == Returned({"signal": "up", "confidence": 0.5})


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("5", "detect_opportunity must return nil or a table, not a number"),
        ("false", "detect_opportunity must return nil or a table, not a boolean"),
        ("{stop_loss = {}}", "stop_loss must be a number or a string, not a table"),
    ],
)
def test_an_answer_that_is_none_is_an_error(answer: str, problem: str) -> None:
    assert Detecting(f"return {answer}").fail() == f"Strategy error: {problem}"


def test_long_text_of_an_answer_is_cut_between_characters() -> None:
    signal = Detecting("return {signal = 'x' .. ('\\u{20AC}'):rep(1000)}").see()
    assert signal == "x" + 341 * "€"


def test_a_function_that_has_gone_is_told() -> None:
    strategy = Detecting("detect_opportunity = nil")
    assert strategy.step() is None
    assert strategy.fail() == "Strategy error: Missing required function: detect_opportunity"


ERRORS = {
    "local x = nil + 1": "line 2: attempt to perform arithmetic on a nil value",
    "error('mine')": "line 2: mine",
    "error('mine', 0)": "line 2: mine",
    "error({})": "line 2: the error is a table",
    "error()": "line 2: the error is a nil",
    "error(5)": "line 2: 5",
    "('x'):rep(-1, {})": "line 2: bad argument #2 to 'rep' (string expected, got table)",
    "table.sort(5)": "line 2: bad argument #1 to 'sort' (table expected, got number)",
    "error(setmetatable({}, {__tostring = error}))": "line 2: the error is a table",
}


@pytest.mark.parametrize(("body", "problem"), ERRORS.items())
def test_an_error_is_told_with_its_line(body: str, problem: str) -> None:
    answer = Detecting(body).step()
    assert answer == Failed(f"Lua error: {problem}", line=2)


def test_a_long_error_is_cut() -> None:
    assert len(Detecting("error(('x'):rep(1000000))").fail()) == 1024


# What it keeps.


def test_the_context_lasts() -> None:
    strategy = Detecting("context.n = (context.n or 0) + 1; return {signal = context.n}")
    assert [strategy.see() for _ in range(3)] == [1, 2, 3]
    assert json.loads(strategy.strategy.committed()[0]) == {"n": 3, "signal": 3}


def test_signal_and_confidence_of_a_detection_go_to_the_context() -> None:
    strategy = Detecting("return {signal = 'up', confidence = 0.5, reason = 'no'}")
    strategy.step()
    assert strategy.strategy.committed()[0] == '{"confidence":0.5,"signal":"up"}'


def test_a_context_holds_strings_numbers_and_booleans() -> None:
    strategy = Detecting("context.a, context.b, context.c, context.d = 'x', 1, 1.0, false")
    strategy.step()
    assert strategy.strategy.committed()[0] == '{"a":"x","b":1,"c":1.0,"d":false}'


@pytest.mark.parametrize(
    ("write", "what"),
    [
        ("context.bad = {}", "'bad', a table"),
        ("context.bad = print", "'bad', a function"),
        ("context.bad = '\\xff'", "'bad', text that is not UTF-8"),
        ("context[1] = 1", "a key that is a number"),
        ("context['\\xff'] = 1", "a key that is not UTF-8"),
    ],
)
def test_what_a_context_cannot_hold_is_dropped_with_one_warning(write: str, what: str) -> None:
    strategy = Detecting(f"context.n = (context.n or 0) + 1; {write}")
    for _ in range(3):
        assert strategy.step() is None
    assert strategy.warnings == [
        f"Context: left out {what}; allowed: keys that are strings,"
        " and strings, numbers and booleans"
    ]
    assert strategy.strategy.committed()[0] == '{"n":3}'


def test_numbers_that_json_has_not_show_as_null() -> None:
    strategy = Detecting("context.a, context.b, context.c = 0/0, 1/0, -1/0")
    strategy.step()
    assert strategy.strategy.committed()[0] == '{"a":null,"b":null,"c":null}'


@pytest.mark.parametrize(
    "flood",
    [
        "context.text = ('x'):rep(70000)",
        "for i = 1, 10000 do context['key' .. i] = i end",
    ],
)
def test_of_a_context_that_is_too_large_the_writes_of_the_call_are_dropped(flood: str) -> None:
    strategy = Detecting(
        f"context.n = (context.n or 0) + 1; if context.n == 2 then {flood} end;"
        " return {signal = context.n}"
    )
    assert strategy.see() == 1
    assert strategy.fail() == "Context over 64 KB"
    assert strategy.strategy.committed()[0] == '{"n":1,"signal":1}'
    assert strategy.fail() == "Context over 64 KB"


def test_a_context_just_under_its_limit_is_kept() -> None:
    strategy = Detecting("context.text = ('x'):rep(65536 - 4)")
    assert strategy.step() is None
    assert len(json.loads(strategy.strategy.committed()[0])["text"]) == 65532


def test_a_call_that_erred_keeps_what_it_wrote() -> None:
    strategy = Detecting("context.n = (context.n or 0) + 1; error('x')")
    for _ in range(2):
        strategy.fail()
    assert strategy.strategy.committed()[0] == '{"n":2}'


# Limits.


@pytest.mark.parametrize(
    "body",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "return pcall(function() while true do end end)",
        "xpcall(function() while true do end end, function() while true do end end)",
        "local t = setmetatable({}, {__index = function() while true do end end}); t = t.x",
        "table.sort({2, 1}, function() while true do end end)",
        "local t = setmetatable({}, {}); getmetatable(t).__close = function() while true do end"
        " end; local x <close> = t; while true do end",
        "string.gsub('x', '.', function() while true do end end)",
        "error(setmetatable({}, {__tostring = function() while true do end end}))"
        " while true do end",
    ],
)
def test_a_call_has_so_many_instructions(body: str) -> None:
    strategy = Detecting(f"context.n = (context.n or 0) + 1; {body}", limits=QUICK)
    for _ in range(2):
        answer = strategy.step()
        assert isinstance(answer, Failed)
        assert "more than 100000 instructions in a call" in answer.error or "table" in answer.error
        assert not answer.ends
    assert strategy.strategy.committed()[0] == '{"n":2}'


QUICK = Limits(instructions=100_000)


def test_a_call_just_under_its_limit_is_no_error() -> None:
    strategy = Detecting("for i = 1, 90000 do end", limits=QUICK)
    for _ in range(3):
        assert strategy.step() is None


@pytest.mark.parametrize(
    "body",
    [
        "local s = 'x'; while true do s = s .. s end",
        "local t = {}; for i = 1, 1e9 do t[i] = i end",
        "kept = kept or {}; for i = 1, 1e9 do kept[i] = {i} end",
        "local t = {}; for i = 1, 1e5 do t[i] = ('x'):rep(1000) end; table.concat(t)",
        "('x'):rep(1e9)",
        "local function f() return 1 + f() end; f()",
    ],
)
def test_a_state_that_is_full_is_never_entered_again(body: str) -> None:
    strategy = Detecting(f"context.n = 1; {body}")
    answer = strategy.step()
    assert answer == Failed("Lua error: not enough memory: a runner has 32 MB", ends=True)
    assert strategy.step() == Failed("Lua error: the strategy has been ended", ends=True)
    assert strategy.strategy.committed()[0] == "{}"
    assert strategy.strategy.take_log(refill=True) == []


def test_memory_that_is_kept_over_calls_counts_together() -> None:
    strategy = Detecting("kept = (kept or '') .. ('x'):rep(5000000)")
    answers = [strategy.step() for _ in range(8)]
    ends = [isinstance(answer, Failed) and answer.ends for answer in answers]
    assert ends[0] is False
    assert ends[-1] is True


def test_memory_that_a_pcall_hides_is_found() -> None:
    strategy = Detecting("pcall(function() kept = {} for i = 1, 1e9 do kept[i] = {i} end end)")
    answer = strategy.step()
    assert isinstance(answer, Failed)
    assert answer.ends


def test_rubbish_is_no_memory() -> None:
    strategy = Detecting("for i = 1, 20 do local s = ('x'):rep(1000000 + i) end")
    for _ in range(10):
        assert strategy.step() is None


def test_there_are_so_many_indicators() -> None:
    strategy = Detecting("for n = 1, 101 do indicators.ema(n) end")
    assert strategy.fail() == "Lua error: line 2: a runner has at most 100 different indicators"


# Loading.


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("x = = 1", "Lua error: line 1: unexpected symbol near '='", 1),
        ("\n\nerror('no')", "Lua error: line 3: no", 3),
        ("x = 1", "Strategy error: Missing required function: detect_opportunity", None),
        ("", "Strategy error: Missing required function: detect_opportunity", None),
        (
            code(top="filter_commitment = 5") + "\nmanage_position = nil",
            "Strategy error: Missing required function: manage_position",
            None,
        ),
        ("while true do end", "Lua error: line 1: more than 10000000 instructions in a call", 1),
        (
            "x = ('x'):rep(40000000)",
            "Lua error: not enough memory: a runner has 32 MB",
            None,
        ),
        ("x = " + 300 * "(" + "1" + 300 * ")", "C stack overflow", None),
        ("x = [[" + 100_000 * "é", "unfinished long string", 1),
    ],
)
def test_code_that_cannot_run(text: str, problem: str, line: int | None) -> None:
    found = validate(text, Limits()).problems
    assert len(found) == 1
    assert problem in found[0].message
    assert found[0].line == line


def test_valid_code_has_its_parameters_told() -> None:
    top = "parameters = {slow = {20}, fast = {10, min = 2, max = 50}}"
    assert validate(code(top=top), Limits()) == Validated(
        parameters={
            "fast": Parameter(default=10, min=2, max=50),
            "slow": Parameter(default=20),
        }
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("5", "parameters must be a table, not a number"),
        ("{fast = 5}", "parameters.fast must be {number, min=number, max=number}"),
        ("{fast = {}}", "parameters.fast must be {number"),
        ("{fast = {1, mim = 2}}", "parameters.fast must be {number"),
        ("{fast = {1, min = '0'}}", "parameters.fast must be {number"),
        ("{fast = {0/0}}", "parameters.fast must be {number"),
        ("{fast = {1, min = 2}}", "parameters.fast must lie within its own min and max"),
        ("{['a b'] = {1}}", "a parameter's name must be one of Lua"),
        ("{{1}}", "a parameter's name must be one of Lua"),
    ],
)
def test_parameters_that_are_none(given: str, problem: str) -> None:
    (found,) = validate(code(top=f"parameters = {given}"), Limits()).problems
    assert found.message.startswith(f"Strategy error: {problem}")


def test_too_many_parameters_are_refused() -> None:
    top = "parameters = {} for i = 1, 65 do parameters['p' .. i] = {i} end"
    assert validate(code(top=top), Limits()).problems == (
        Problem("Strategy error: a strategy has at most 64 parameters"),
    )


PARAMETRIC = code(
    "return {signal = parameters.fast .. ' ' .. math.type(parameters.fast)}",
    top="parameters = {fast = {10, min = 2, max = 50}, slow = {20}}",
)


@pytest.mark.parametrize(("given", "number"), [({}, 10), ({"fast": 12.0}, 12)])
def test_a_parameter_is_the_number_in_force(given: dict[str, float], number: int) -> None:
    strategy = LuaStrategy(program(PARAMETRIC, parameters=given), limits=Limits())
    answer, _ = strategy.advance(bar(), function=State.IDLE, account=ACCOUNT)
    assert answer == Returned({"signal": f"{number} integer"})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"fats": 1}, "unknown parameter 'fats'; allowed: fast, slow"),
        ({"fast": 1}, "parameter fast=1 is not allowed; allowed: a number from 2 to 50"),
        ({"fast": float("nan")}, "parameter fast=nan is not allowed"),
        ({"slow": float("inf")}, "parameter slow=inf is not allowed"),
    ],
)
def test_a_parameter_that_is_not_allowed(given: dict[str, float], problem: str) -> None:
    with pytest.raises(StrategyError, match=problem):
        LuaStrategy(program(PARAMETRIC, parameters=given), limits=Limits())


# Going on elsewhere.

KEEPER = """
context.n = (context.n or 0) + 1
context.text = ("\\u{20AC}"):rep(context.n % 3)
context.odd = ({0/0, 1/0, -1/0, 1.0})[context.n % 4 + 1]
local i = indicators
local slow = context.n > 8 and i.sma(12)
return {signal = table.concat({
  tostring(i.sma(3)), tostring(i.ema(4)), tostring(i.rsi(3)), tostring(slow), tostring(i.high),
  tostring(i.low), tostring(i.range), tostring(i.avg_volume), tostring(math.random()),
  tostring(context.odd), math.type(context.n), context.text}, " ")}
"""
prices = st.floats(min_value=0.01, max_value=1e6)


@given(
    st.lists(st.tuples(prices, st.floats(0, 1e9)), min_size=1, max_size=40),
    st.integers(1, 7),
    st.data(),
)
def test_a_strategy_goes_on_bit_for_bit(
    closes: list[tuple[float, float]], window_size: int, data: st.DataObject
) -> None:
    bars = [
        bar(close, high=close * 1.01, low=close * 0.99, volume=volume, timestamp=at)
        for at, (close, volume) in enumerate(closes)
    ]
    whole = Detecting(KEEPER, window_size=window_size)
    expected = [whole.see(each) for each in bars]
    cut = data.draw(st.integers(0, len(bars)))
    before = Detecting(KEEPER, window_size=window_size)
    for each in bars[:cut]:
        before.see(each)
    context, indicators = before.strategy.committed()
    wanted = before.strategy.bars_wanted
    after = Detecting(
        KEEPER,
        window_size=window_size,
        committed=Committed(context=context, indicators=indicators),
        window=tuple(bars[:cut][-wanted:]),
    )
    assert after.strategy.committed() == (context, indicators)
    assert [after.see(each) for each in bars[cut:]] == expected[cut:]


def test_a_strategy_goes_on_with_fewer_bars_than_it_wants() -> None:
    before = Detecting("return {signal = indicators.sma(3) or 0}", window_size=3)
    for close in (1.0, 2.0, 3.0, 4.0):
        before.see(bar(close))
    context, indicators = before.strategy.committed()
    after = Detecting(
        "return {signal = indicators.sma(3) or 0}",
        window_size=3,
        committed=Committed(context=context, indicators=indicators),
        window=(bar(4.0),),
    )
    assert [after.see(bar(close)) for close in (5.0, 6.0)] == [0, 5.0]


def test_a_window_alone_warms_it() -> None:
    after = Detecting(
        "return {signal = indicators.high}", committed=Committed(), window=(bar(4.0), bar(3.0))
    )
    assert after.see(bar(5.0)) == 4.0


def test_the_one_warning_is_not_repeated_elsewhere() -> None:
    body = "context.bad = {}"
    before = Detecting(body)
    before.step()
    context, indicators = before.strategy.committed()
    after = Detecting(body, committed=Committed(context=context, indicators=indicators))
    after.step()
    assert len(before.warnings) == 1
    assert after.warnings == []


def test_a_number_of_another_type_is_another_value() -> None:
    strategy = Detecting("context.n = context.n and 1.0 or 1")
    strategy.step()
    assert strategy.strategy.committed()[0] == '{"n":1}'
    strategy.step()
    assert strategy.strategy.committed()[0] == '{"n":1.0}'
