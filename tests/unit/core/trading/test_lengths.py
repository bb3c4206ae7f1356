import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import TradingError
from dashboard.core.trading.lengths import choose_length, format_length, parse_length


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [
        ("tick", None),
        ("1s", 1000),
        ("1m", 60_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
    ],
)
def test_a_length_is_read(text: str, length_ms: int | None) -> None:
    assert parse_length(text) == length_ms


@pytest.mark.parametrize(
    "text", ["", "m", "5", "0m", "05m", "-1m", "1.5h", "5M", "5 m", "1w", "ticks", "٣m", "100000s"]
)
def test_what_is_none_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(TradingError) as caught:
        parse_length(text)
    assert caught.value.code == "INVALID_REQUEST"
    assert repr(text) in caught.value.problem
    assert "tick, or a whole number from 1 to 99999 with s, m, h or d" in caught.value.problem


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [(1000, "1s"), (90_000, "90s"), (300_000, "5m"), (7_200_000, "2h"), (86_400_000, "1d")],
)
def test_a_length_is_written_in_its_greatest_unit(length_ms: int, text: str) -> None:
    assert format_length(length_ms) == text


@given(st.integers(1, 99999), st.sampled_from("smhd"))
def test_what_is_written_is_read_again(number: int, unit: str) -> None:
    length_ms = parse_length(f"{number}{unit}")
    assert length_ms is not None
    assert parse_length(format_length(length_ms)) == length_ms


@pytest.mark.parametrize(
    ("asked", "bar_ms", "length"),
    [
        (None, None, "tick"),
        (None, 60_000, "1m"),
        ("5m", None, "5m"),
        ("5m", 60_000, "5m"),
        ("60s", 60_000, "60s"),
        ("1d", 60_000, "1d"),
    ],
)
def test_a_length_is_the_one_that_is_asked_for_else_the_feed_s(
    asked: str | None, bar_ms: int | None, length: str
) -> None:
    assert choose_length(asked, bar_ms=bar_ms) == length


@pytest.mark.parametrize("asked", ["tick", "1s", "90s"])
def test_of_whole_bars_only_multiples_are_made(asked: str) -> None:
    with pytest.raises(TradingError) as caught:
        choose_length(asked, bar_ms=60_000)
    assert caught.value.problem == (
        f"bar {asked!r} is not allowed; allowed: 1m, as its feed has them, or a multiple"
    )
