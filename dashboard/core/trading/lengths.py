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
        problem = f"bar {text[:20]!r} is not allowed; allowed: {ALLOWED}"
        raise TradingError(code="INVALID_REQUEST", problem=problem)
    return int(found[1]) * UNITS_MS[found[2]]


def format_length(length_ms: int) -> str:
    """Write a length of whole seconds in its greatest unit, `5m` for 300,000 ms."""
    unit = next(unit for unit, ms in reversed(UNITS_MS.items()) if length_ms % ms == 0)
    return f"{length_ms // UNITS_MS[unit]}{unit}"
