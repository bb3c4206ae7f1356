"""How long a runner's bars are: `tick`, or a whole number of seconds, minutes, hours or days."""

import re

from dashboard.core.errors import TradingError

TICK = "tick"
UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
ALLOWED = "tick, or a whole number from 1 to 99999 with s, m, h or d, such as 5m"
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([smhd])", re.ASCII)


def parse_length(text: str) -> int | None:
    """Give a length in ms; None is that of ticks.

    Raises:
        TradingError: when it is none.
    """
    if text == TICK:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise _not_allowed(text, ALLOWED)
    return int(found[1]) * UNITS_MS[found[2]]


def choose_length(asked: str | None, *, bar_ms: int | None) -> str:
    """Give how long a runner's bars are to be, as it is asked, or as its feed has them.

    A feed of whole bars, of `bar_ms`, has no ticks, and no parts of its bars.

    Raises:
        TradingError: when what is asked for is none, or cannot be made of what the feed has.
    """
    if asked is None:
        return TICK if bar_ms is None else format_length(bar_ms)
    length_ms = parse_length(asked)
    if bar_ms is not None and (length_ms is None or length_ms % bar_ms):
        raise _not_allowed(asked, f"{format_length(bar_ms)}, as its feed has them, or a multiple")
    return asked


def format_length(length_ms: int) -> str:
    """Write a length of whole seconds in its greatest unit, `5m` for 300,000 ms."""
    unit = next(unit for unit, ms in reversed(UNITS_MS.items()) if length_ms % ms == 0)
    return f"{length_ms // UNITS_MS[unit]}{unit}"


def _not_allowed(text: str, allowed: str) -> TradingError:
    problem = f"bar {text[:20]!r} is not allowed; allowed: {allowed}"
    return TradingError(code="INVALID_REQUEST", problem=problem)
