import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.ui.formatting import (
    MINUS,
    NONE,
    THIN_SPACE,
    format_age,
    format_amount,
    format_count,
    format_share,
    format_signed,
)


def plain(text: str) -> str:
    return text.replace(THIN_SPACE, " ").replace(MINUS, "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.004, "0.00"),
        (-0.004, "0.00"),
        (0.005001, "+0.01"),
        (1234567.891, "+1 234 567.89"),
        (-10.0, "-10.00"),
        (float("-inf"), NONE),
        (float("nan"), NONE),
        (None, NONE),
    ],
)
def test_signed(value: float | None, text: str) -> None:
    assert plain(format_signed(value, 2)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"),
        (0.25, "0.25"),
        (-1500.0, "-1 500"),
        (0.0001, "0.0001"),
        (0.00009999, "0.00009999"),
        (0.00004, "0.00004"),
        (-0.0000123456, "-0.00001235"),
        (1e-12, "0.000000000001"),
        (4e-13, "4e-13"),
        (5e-324, "4.94e-324"),
        (-1.5e300, "-1.5e+300"),
        (123456789012345.0, "123 456 789 012 345"),
        (0.0, "0"),
        (-0.0, "0"),
        (float("inf"), NONE),
        (float("nan"), NONE),
        (None, NONE),
    ],
)
def test_amount(value: float | None, text: str) -> None:
    assert plain(format_amount(value)) == text


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
@example(-999_999_999_999_999.9)
@example(10_000_000_000_000.438)
@example(9.9999999e-13)
def test_no_amount_looks_like_nothing(value: float) -> None:
    assert any(digit in "123456789" for digit in format_amount(value))
    assert len(format_amount(value)) <= len("-123 456 789 012 345.6789")


def test_amount_with_its_sign() -> None:
    assert [plain(format_amount(value, signed=True)) for value in (5, -5, 0)] == ["+5", "-5", "0"]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.29, "29 %"),
        (0.999, "99 %"),
        (1.0, "100 %"),
        (12.5, "1 250 %"),
        (float("inf"), NONE),
        (float("nan"), NONE),
        (None, NONE),
    ],
)
def test_share(share: float | None, text: str) -> None:
    assert plain(format_share(share)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (7.2e6, "2 000 h")],
)
def test_age(seconds: float, text: str) -> None:
    assert plain(format_age(seconds)) == text


def test_count() -> None:
    assert plain(format_count(1234567)) == "1 234 567"


@pytest.mark.parametrize("value", [1e15, 1e300, 1.7976931348623157e308])
def test_what_no_reader_counts_is_short(value: float) -> None:
    assert len(format_signed(value, 2)) <= 10
    assert len(format_amount(-value)) <= 10
    assert plain(format_share(value)) == "over 1 000 000 000 %"
