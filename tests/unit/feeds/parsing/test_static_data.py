import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import StaticDataError
from dashboard.feeds.parsing.static_data import StaticData, parse_static_data
from tests.redis_server import INSTRUMENTS, static_data

INSTRUMENTS_KEY = "static_data:instruments"
UNDERLYINGS_KEY = "static_data:underlyings"
AAPL = {"name": "AAPL", "underlying": "AAPL_STOCK", "tick_size": 0.01}
STOCK = {"name": "AAPL_STOCK", "delta_limit": 20}
OTHER = {"name": "GOOGL_STOCK"}


def parse(**changes: str | bytes | None) -> StaticData:
    """Parse what the tests' Redis is filled with, with `changes`; `__` stands for a colon."""
    texts: dict[str, Any] = dict(static_data())
    texts |= {name.replace("__", ":"): text for name, text in changes.items()}

    def read(keys: Sequence[str]) -> list[bytes | None]:
        found = [texts.get(key) for key in keys]
        return [text.encode() if isinstance(text, str) else text for text in found]

    return parse_static_data(read)


def refusal(**changes: str | bytes | None) -> StaticDataError:
    with pytest.raises(StaticDataError) as caught:
        parse(**changes)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    return caught.value


def test_instruments_have_their_limits_in_the_order_of_the_array() -> None:
    data = parse()
    assert data.instruments == INSTRUMENTS
    assert data.warnings == ()


def test_an_instrument_may_name_its_exchange() -> None:
    array = json.dumps([AAPL | {"exchange": "SIM"}])
    assert parse(static_data__instruments=array).instruments[0].id == "SIM:AAPL"


def test_there_may_be_no_instruments() -> None:
    nothing = {"static_data__instruments": "[]", "static_data__underlyings": "[]"}
    assert parse(**nothing).instruments == ()


def test_the_arrays_delta_limit_wins_and_a_difference_is_told() -> None:
    data = parse(static_data__AAPL_STOCK_limit="25")
    assert data.instruments[0].delta_limit == 20
    assert data.warnings == (
        "static_data:AAPL_STOCK_limit is 25, but static_data:underlyings says 20, which holds",
    )


def test_without_a_delta_limit_in_the_array_the_key_counts() -> None:
    array = json.dumps([{"name": "AAPL_STOCK"}, {"name": "GOOGL_STOCK", "delta_limit": None}])
    data = parse(static_data__underlyings=array, static_data__AAPL_STOCK_limit="25.5")
    assert [each.delta_limit for each in data.instruments] == [25.5, 25.5, 40]
    assert data.warnings == ()


@pytest.mark.parametrize("text", ["100", "100.0", "1e2", ' "100" ', "100\n"])
def test_a_limit_is_any_json_number_or_one_in_quotes(text: str) -> None:
    assert parse(static_data__AAPL_absolute_limit=text).instruments[0].absolute_limit == 100


@pytest.mark.parametrize("key", sorted(static_data()))
def test_each_key_is_needed_and_named(key: str) -> None:
    error = refusal(**{key.replace(":", "__"): None})
    assert error.key == key
    assert error.found == "nothing"
    assert str(error).startswith(f"{key}: found nothing; expected ")


@pytest.mark.parametrize("key", sorted(static_data()))
@pytest.mark.parametrize("text", ["", "{", "not\nJSON", '"text"', "null", '{"a":1}', b"\xff" * 999])
def test_each_key_that_is_wrong_is_named(key: str, text: str | bytes) -> None:
    assert refusal(**{key.replace(":", "__"): text}).key == key


@pytest.mark.parametrize("text", ["-1", "nan", '"nan"', '"inf"', "1e999", "[1]", "true"])
def test_a_limit_is_a_finite_number_from_0(text: str) -> None:
    error = refusal(static_data__AAPL_absolute_limit=text)
    assert error.key == "static_data:AAPL_absolute_limit"
    assert text.strip('"') in error.found
    assert error.expected == "a number from 0 as text, such as 100"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": 7}, "Expected `str`, got `int` - at `$[0].name`"),
        ({"name": ""}, "an empty name"),
        ({"name": "pnl"}, "an instrument named 'pnl'"),
        ({"tick_size": 0}, "tick_size 0 of 'AAPL'"),
        ({"tick_size": -0.5}, "tick_size -0.5 of 'AAPL'"),
        ({"tick_size": "0.01"}, "Expected `float`, got `str` - at `$[0].tick_size`"),
        ({"underlying": "X"}, "underlying 'X' of 'AAPL'"),
        ({"underlying": None}, "Expected `str`, got `null` - at `$[0].underlying`"),
        ({"exchange": "A:B"}, "exchange 'A:B' of 'AAPL'"),
    ],
)
def test_a_wrong_instrument_is_refused(change: dict[str, Any], found: str) -> None:
    error = refusal(static_data__instruments=json.dumps([AAPL | change]))
    assert (error.key, error.found) == (INSTRUMENTS_KEY, found)


BAD_NAMES = [
    " ",
    "A\n",
    "A\r\nB",
    "A\0",
    "\x1b[2J",
    "\u2028",
    "\x7f",
    "\u202eA",
    "A" * 101,
    "A" * 10_000,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_cannot_be_shown_is_refused_on_one_clear_line(name: str) -> None:
    named = json.dumps([{"name": name, "delta_limit": 1}])
    for key, error in (
        (INSTRUMENTS_KEY, refusal(static_data__instruments=json.dumps([AAPL | {"name": name}]))),
        (
            INSTRUMENTS_KEY,
            refusal(static_data__instruments=json.dumps([AAPL | {"exchange": name}])),
        ),
        (UNDERLYINGS_KEY, refusal(static_data__underlyings=named)),
    ):
        assert error.key == key
        assert "visible characters on one line, at most 100" in error.expected
        assert str(error).isprintable()
        assert len(str(error)) < 400


def test_a_name_may_have_a_hundred_characters_of_any_script() -> None:
    for name in ("A" * 100, "AAPL/DEC 26", "Größe", "\u65e5\u7d4c225", "a:b%2F?#"):
        data = parse(
            static_data__instruments=json.dumps([AAPL | {"name": name}]),
            **{f"static_data__{name}_absolute_limit": "1"},
        )
        assert data.instruments[0].symbol == name


@pytest.mark.parametrize("field", ["name", "underlying", "tick_size"])
def test_a_field_of_an_instrument_is_needed(field: str) -> None:
    array = [{name: value for name, value in AAPL.items() if name != field}]
    error = refusal(static_data__instruments=json.dumps(array))
    assert error.found == f"Object missing required field `{field}` - at `$[0]`"


def test_a_name_stands_only_once() -> None:
    error = refusal(static_data__instruments=json.dumps([AAPL, AAPL | {"exchange": "SIM"}]))
    assert (error.key, error.found) == (INSTRUMENTS_KEY, "'AAPL' twice")
    error = refusal(static_data__underlyings=json.dumps([STOCK, STOCK]))
    assert (error.key, error.found) == (UNDERLYINGS_KEY, "'AAPL_STOCK' twice")


def test_a_negative_delta_limit_is_refused() -> None:
    error = refusal(static_data__underlyings=json.dumps([OTHER, STOCK | {"delta_limit": -1}]))
    assert (error.key, error.found) == (UNDERLYINGS_KEY, "delta_limit -1 of 'AAPL_STOCK'")


@given(st.binary(), st.sampled_from(sorted(static_data())))
def test_whatever_a_key_holds_is_taken_or_refused(text: bytes, key: str) -> None:
    with suppress(StaticDataError):
        data = parse(**{key.replace(":", "__"): text})
        assert all(each.tick_size > 0 for each in data.instruments)
