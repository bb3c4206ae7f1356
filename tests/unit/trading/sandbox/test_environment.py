import pytest

from dashboard.core.errors import StrategyError
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.strategy import LuaStrategy
from tests.lua import Detecting, evaluate, program

HAS = {
    *("assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "print"),
    *("rawequal", "rawget", "rawlen", "rawset", "select", "setmetatable", "string", "table"),
    *("tonumber", "tostring", "type", "utf8", "xpcall"),
}
HAS_NOT = {
    *("_G", "_VERSION", "collectgarbage", "coroutine", "debug", "dofile", "io", "load"),
    *("loadfile", "loadstring", "lupa", "os", "package", "python", "require", "warn"),
}


@pytest.mark.parametrize("name", sorted(HAS))
def test_what_a_strategy_sees(name: str) -> None:
    assert evaluate(f"type({name}) ~= 'nil'")


@pytest.mark.parametrize("name", sorted(HAS_NOT))
def test_what_it_does_not_see(name: str) -> None:
    assert evaluate(f"type({name})") == "nil"


def test_it_sees_nothing_else() -> None:
    top = "names = {} for name in pairs(_ENV) do table.insert(names, name) end"
    names = evaluate("table.concat(names, ' ')", top=top)
    assert isinstance(names, str)
    assert set(names.split()) == HAS | {"names"}


@pytest.mark.parametrize(
    "expression",
    [
        "string.dump",
        "('x').dump",
        "math.randomseed",
        "getmetatable('')",
        "getmetatable(print)",
        "rawget(_ENV, 'python')",
    ],
)
def test_what_its_libraries_lack(expression: str) -> None:
    assert evaluate(f"{expression} == nil")


@pytest.mark.parametrize("field", ["__gc", "__close", "__metatable", "__mode"])
def test_a_metatable_has_no_field_that_acts_behind_the_engine(field: str) -> None:
    error = Detecting(f"setmetatable({{}}, {{{field} = print}})").fail()
    assert error == f"Lua error: line 2: setmetatable takes no {field}"


def test_bytecode_is_no_code() -> None:
    with pytest.raises(StrategyError, match="attempt to load a binary chunk"):
        LuaStrategy(program("\x1bLua"), limits=Limits())


ORDERS = {
    "t = {b = 1, a = 1, [3] = 1, [1.5] = 1, [-1] = 1, B = 1}": "-1 1.5 3 B a b",
    "t = {10, 20, 30, x = 1, [true] = 1, [false] = 1}": "1 2 3 x false true",
    "t = {}": "",
}


@pytest.mark.parametrize(("table", "order"), ORDERS.items())
@pytest.mark.parametrize("walk", ["pairs(t)", "next, t"])
def test_tables_are_walked_in_order(table: str, order: str, walk: str) -> None:
    top = f"""{table}
    keys = {{}}
    for key, value in {walk} do
      assert(value == t[key])
      table.insert(keys, tostring(key))
    end"""
    assert evaluate("table.concat(keys, ' ')", top=top) == order


def test_fields_may_be_removed_on_the_way() -> None:
    top = """t, seen = {a = 1, b = 2, c = 3, d = 4}, ""
    for key in pairs(t) do seen = seen .. key; t[key], t.c = nil, nil end"""
    assert evaluate("seen", top=top) == "abd"


def test_next_begins_and_goes_on_anywhere() -> None:
    top = """t = {a = 1, b = false, c = 3}
    seen = tostring(next(t)) .. tostring(next(t, "a")) .. tostring(next({x = 1}, "x"))
      .. tostring(next(t, "a")) .. tostring(next(t, "c")) .. tostring(next({}))"""
    assert evaluate("seen", top=top) == "abnilbnilnil"


def test_next_knows_no_key_that_is_not_there() -> None:
    assert evaluate("select(2, pcall(next, {a = 1}, 'z'))") == (
        "bad argument #2 to 'next' (there is no such key)"
    )


def test_keys_without_an_order_are_refused() -> None:
    error = Detecting("for key in pairs({[{}] = 1}) do end").fail()
    assert error == (
        "Lua error: line 2: 'pairs' goes through keys that are numbers, strings or booleans;"
        " one is a table"
    )


def test_a_metatable_may_say_how_its_table_is_walked() -> None:
    top = """t = setmetatable({}, {__pairs = function() return function(_, k)
      if not k then return 1, 2 end end, nil, nil end})
    for k, v in pairs(t) do seen = k + v end"""
    assert evaluate("seen", top=top) == 3


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("tostring({})", "table"),
        ("tostring(print)", "function"),
        ("tostring(1)", "1"),
        ("tostring(1.0)", "1.0"),
        ("tostring(nil)", "nil"),
        ("tostring(true)", "true"),
        ("string.format('%s %s %d%%', {}, print, 5)", "table function 5%"),
        ("('%5.1f'):format(2.25)", "  2.2"),
        ("tostring(setmetatable({}, {__tostring = function() return 'me' end}))", "me"),
        ("tostring(setmetatable({}, {__name = 'me'}))", "table"),
    ],
)
def test_text_shows_no_address(expression: str, text: str) -> None:
    assert evaluate(expression) == text


@pytest.mark.parametrize("template", ["%p", "%-20p", "100%% %p"])
def test_format_shows_no_address(template: str) -> None:
    assert "%p" in Detecting(f"return {{signal = string.format('{template}', {{}})}}").fail()


def test_sorting_is_stable_and_in_order() -> None:
    top = """list = {}
    for i = 1, 500 do list[i] = {key = (i * 7919) % 10, place = i} end
    table.sort(list, function(a, b) return a.key < b.key end)
    good = true
    for i = 2, 500 do
      local a, b = list[i - 1], list[i]
      good = good and (a.key < b.key or a.key == b.key and a.place < b.place)
    end"""
    assert evaluate("good", top=top) is True


@pytest.mark.parametrize("list_", ["{}", "{1}", "{2, 1}", "{3, 1, 2}", "{5, 4, 3, 2, 1, 0}"])
def test_sorting_without_a_comparator(list_: str) -> None:
    top = f"""list = {list_}
    table.sort(list)
    good = true
    for i = 2, #list do good = good and list[i - 1] < list[i] end"""
    assert evaluate("good", top=top) is True


def test_chance_is_the_same_for_the_same_seed_and_goes_on_where_it_was() -> None:
    draws = "return {signal = math.random(1, 1000000)}"
    first = Detecting(draws)
    numbers = [first.see() for _ in range(5)]
    again = Detecting(draws)
    assert [again.see() for _ in range(5)] == numbers
    assert Detecting(draws, seed="another").see() != numbers[0]
    assert len(set(numbers)) == 5


def test_chance_lies_within_its_bounds() -> None:
    top = """good = true
    for i = 1, 1000 do
      local x = math.random()
      good = good and 0 <= x and x < 1
      local n = math.random(3)
      good = good and math.type(n) == "integer" and 1 <= n and n <= 3
      n = math.random(-2, 2.0)
      good = good and -2 <= n and n <= 2
      n = math.random(math.mininteger, math.maxinteger)
      good = good and math.type(n) == "integer"
    end
    good = good and math.type(math.random(0)) == "integer" """
    assert evaluate("good", top=top) is True


@pytest.mark.parametrize(
    ("call", "problem"),
    [("math.random(2, 1)", "interval is empty"), ("math.random('x')", "integers expected")],
)
def test_chance_without_an_interval_is_refused(call: str, problem: str) -> None:
    assert problem in Detecting(f"return {{signal = {call}}}").fail()


def test_what_is_printed_is_taken_as_lines() -> None:
    strategy = Detecting("print('a', 1, {}, nil); print()")
    strategy.step()
    strategy.strategy.committed()
    assert strategy.strategy.take_log(refill=False) == ["a\t1\ttable\tnil", ""]
    assert strategy.strategy.take_log(refill=False) == []


def test_a_full_log_says_so_until_it_is_filled_up_again() -> None:
    strategy = Detecting("for i = 1, 100 do print('x') end", limits=Limits(log_bytes=10))

    def take(*, refill: bool) -> list[str]:
        strategy.step()
        strategy.strategy.committed()
        return strategy.strategy.take_log(refill=refill)

    full = ["x", "x", "x", "x", "the log is full: what follows is left out"]
    assert take(refill=False) == full
    assert take(refill=True) == []
    assert take(refill=False) == full


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("xpcall(function(...) return ... end, error, 1, nil, 3)", "true 1 nil 3"),
        ("xpcall(error, function(e) return 'seen ' .. e end, 'x')", "false seen x"),
        ("xpcall(error, function(e) error('again', 0) end, 'x')", "false again"),
        ("pcall(error, 'x')", "false x"),
    ],
)
def test_errors_can_be_handled(call: str, text: str) -> None:
    top = f"""seen = table.pack({call})
    for i = 1, seen.n do seen[i] = tostring(seen[i]) end"""
    assert evaluate("table.concat(seen, ' ')", top=top) == text
