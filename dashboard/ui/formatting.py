"""Write values as text. Pure.

The conventions are those of the page's own code, see `components/live/format.js`:
thin spaces between thousands, a true minus sign, a dash where there is no value.
"""

import math

THIN_SPACE = "\u2009"
MINUS = "\u2212"
NONE = "\u2014"
LEAST, MOST = 1e-12, 1e15
"""A size beyond these is written by its power of ten."""
MOST_SHARE = 1e7
"""A part of a limit is not told further than this: the limit was none."""


def format_count(count: int) -> str:
    """Write a whole number with thin spaces between its thousands.

    >>> format_count(1284).replace(THIN_SPACE, " ")
    '1 284'
    """
    return f"{count:,}".replace(",", THIN_SPACE)


def format_signed(value: float | None, decimals: int) -> str:
    """Write a number with its sign; what rounds to zero has none.

    >>> format_signed(0.004, 2), format_signed(12.5, 2)
    ('0.00', '+12.50')
    """
    if value is None or not math.isfinite(value):
        return NONE
    text = _digits(abs(value), decimals)
    sign = "" if not text.strip("0.,") else "+" if value > 0 else MINUS
    return sign + text.replace(",", THIN_SPACE)


def format_amount(value: float | None, *, signed: bool = False) -> str:
    """Write a quantity with as many decimals as it has, at most four.

    One that four decimals would not show has those that show its first four digits.

    >>> format_amount(100.0), format_amount(2.5, signed=True), format_amount(0.00004)
    ('100', '+2.5', '0.00004')
    """
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(value)
    if 0 < size < LEAST:
        text = ("+" if value > 0 else MINUS) + _by_power_of_ten(size)
    else:
        decimals = 4 if size >= 0.0001 or not size else 3 - math.floor(math.log10(size))
        text = format_signed(value, len(f"{size:.{decimals}f}".rstrip("0").partition(".")[2]))
    return text if signed else text.lstrip("+")


def format_share(share: float | None) -> str:
    """Write a part of a whole in percent, rounded down, so that 100 % means all of it.

    >>> format_share(0.999).replace(THIN_SPACE, " ")
    '99 %'
    """
    if share is None or not math.isfinite(share):
        return NONE
    if share >= MOST_SHARE:
        return f"over {format_count(round(100 * MOST_SHARE))}{THIN_SPACE}%"
    percent = math.floor(round(share * 100, 6))  # 0.29 is 29 %, whatever its last bit says
    return f"{format_count(percent)}{THIN_SPACE}%"


def _digits(size: float, decimals: int) -> str:
    """Write a size; where a float has no decimals left, by its power of ten."""
    return _by_power_of_ten(size) if size >= MOST else f"{size:,.{decimals}f}"


def _by_power_of_ten(size: float) -> str:
    return f"{size:.3g}".replace("-", MINUS)


def format_age(seconds: float) -> str:
    """Write an age in the whole unit that fits: 3 s, 5 min, 2 h."""
    whole = max(0, math.floor(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{format_count(whole // 3600)} h"
