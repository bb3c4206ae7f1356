from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import ParseError
from dashboard.feeds.parsing.ohlcv import BadLine, OhlcvBar, OhlcvText

HEADER = "timestamp,open,high,low,close,volume"
MIDNIGHT = 1_640_995_200_000
"""2022-01-01 in ms."""
MINUTE = 60_000


def read(*lines: str, header: str = HEADER) -> list[OhlcvBar | BadLine]:
    return list(OhlcvText([f"{line}\n" for line in (header, *lines)]))


def reasons(found: Sequence[OhlcvBar | BadLine]) -> list[tuple[int, str]]:
    return [(each.line, each.reason) for each in found if isinstance(each, BadLine)]


def test_a_bar_is_read() -> None:
    assert read("2022-01-01 00:01:00.000000,10,12,9,11.5,3.25") == [
        OhlcvBar(2, MIDNIGHT + MINUTE, 10.0, 12.0, 9.0, 11.5, 3.25)
    ]


def test_columns_are_found_by_their_header_in_any_order() -> None:
    header = "Close, trades ,LOW,Volume,Date,high,open"
    assert read("11.5,7,9,3,2022-01-01,12,10", header=header) == [
        OhlcvBar(2, MIDNIGHT, 10.0, 12.0, 9.0, 11.5, 3.0)
    ]


def test_the_volume_may_be_missing() -> None:
    text = OhlcvText(["timestamp,open,high,low,close\n", "2022-01-01,10,12,9,11\n"])
    assert not text.has_volume
    assert list(text) == [OhlcvBar(2, MIDNIGHT, 10.0, 12.0, 9.0, 11.0, 0.0)]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("timestamp,open,high,low", "there is no column 'close'"),
        ("when,open,high,low,close", "there is no column 'timestamp'"),
        ("timestamp,open,open,high,low,close", "the column 'open' is there twice"),
        ("time,open,high,low,close,volume,volume", "the column 'volume' is there twice"),
        ("", "there is no column 'timestamp'"),
    ],
)
def test_a_header_without_a_column_is_refused_with_what_is_allowed(
    header: str, problem: str
) -> None:
    with pytest.raises(ParseError) as caught:
        read(header=header)
    assert f"line 1: {problem}" in caught.value.problem
    assert "allowed: timestamp, open, high, low, close and volume" in caught.value.problem


@pytest.mark.parametrize(
    "time",
    [
        "2022-01-01",
        "2022-01-01T00:00",
        "2022-01-01 00:00:00",
        "2022-01-01T00:00:00Z",
        "2022-01-01T00:00:00+00:00",
        "2022-01-01T05:30:00+05:30",
        "20220101",
        "1640995200",
        "1640995200000",
        " 2022-01-01 ",
    ],
)
def test_a_time_is_iso_or_an_epoch_s_and_none_is_utc(time: str) -> None:
    (found,) = read(f"{time},10,12,9,11,1")
    assert isinstance(found, OhlcvBar)
    assert found.timestamp == MIDNIGHT


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2022-01-01,10,12,9,11", "5 columns, where the header has 6"),
        ("yesterday,10,12,9,11,1", "time 'yesterday' is not ISO 8601 or an epoch's"),
        ("1969-01-01,10,12,9,11,1", "time '1969-01-01' is not between 1970 and 2200"),
        ("2022-01-01,10,9,12,11,1", "high 9.0 is below low 12.0"),
        ("2022-01-01,nan,12,9,11,1", "open 'nan' is no finite number"),
        ("2022-01-01,10,inf,9,11,1", "high 'inf' is no finite number"),
        ("2022-01-01,10,12,,11,1", "low '' is no finite number"),
        ("2022-01-01,10,12,9,x,1", "close 'x' is no finite number"),
        ("2022-01-01,10,12,9,11,NaN", "volume 'NaN' is no finite number"),
        ("2022-01-01,10,12,9,0,1", "open and close must be above 0"),
        ("2022-01-01,10,12,9,11,-1", "the volume is below 0"),
    ],
)
def test_a_bad_line_is_named(line: str, reason: str) -> None:
    assert reasons(read(line)) == [(2, reason)]


def test_what_follows_a_bad_line_is_read() -> None:
    found = read("2022-01-01,10,12,9,11,1", "", "what", "2022-01-02,10,12,9,11,1")
    assert [each.line for each in found] == [2, 4, 5]
    assert reasons(found) == [(4, "1 columns, where the header has 6")]


def test_of_an_unsorted_or_doubled_time_the_later_line_is_named() -> None:
    bar = "10,12,9,11,1"
    found = read(f"2022-01-02,{bar}", f"2022-01-02,{bar}", f"2022-01-01,{bar}", f"2022-01-03,{bar}")
    assert reasons(found) == [
        (3, "the time is there twice"),
        (4, "the time is before that of the line before"),
    ]


@pytest.mark.parametrize("zones", [("", "Z"), ("Z", ""), ("+00:00", "+05:30")])
def test_mixed_zones_are_bad(zones: tuple[str, str]) -> None:
    found = read(*[f"2022-01-0{n}T00:00{zone},10,12,9,11,1" for n, zone in enumerate(zones, 1)])
    assert reasons(found) == [(3, "the time's zone is not that of the lines before")]


@given(st.lists(st.text(), max_size=8))
def test_any_text_is_bars_and_bad_lines_in_order(lines: list[str]) -> None:
    found = read(*lines)
    assert [each.line for each in found] == sorted(each.line for each in found)
