"""What a runner may be asked to be: each thing that is not allowed is named, with what is."""

import math
import re
from collections.abc import Mapping

from dashboard.commands.trading import (
    ALLOWED_NAMES,
    MAX_CAPITAL,
    MAX_NAME,
    MAX_WINDOW,
    NAME_PATTERN,
    CreateRunner,
)
from dashboard.core.directory import Directory
from dashboard.core.errors import TradingError
from dashboard.core.instruments import Instrument
from dashboard.core.trading.hosting import Parameter


def refused(problem: str) -> TradingError:
    """Make the error of a request that is not allowed."""
    return TradingError(code="INVALID_REQUEST", problem=problem)


def check_bounds(asked: CreateRunner) -> None:
    """See that a runner's name and numbers are within their bounds, whichever door they came by.

    Raises:
        TradingError: names the first that is not.
    """
    runner_id, capital, window = asked.runner_id, asked.capital, asked.window_size
    if len(runner_id) > MAX_NAME or not re.fullmatch(NAME_PATTERN, runner_id):
        raise refused(f"runner_id {runner_id[:100]!r} is not allowed; allowed: {ALLOWED_NAMES}")
    if not 1 <= window <= MAX_WINDOW:
        raise refused(f"window_size {window} is not allowed; allowed: 1 to {MAX_WINDOW}")
    if not 0 < capital <= MAX_CAPITAL:
        allowed = f"a number above 0, at most {MAX_CAPITAL:.0e}"
        raise refused(f"capital {capital:.15g} is not allowed; allowed: {allowed}")


def find_instrument(directory: Directory, asked: CreateRunner) -> Instrument:
    """Give the instrument that is asked for, by its symbol or its full id.

    Raises:
        TradingError: when there is none.
    """
    if asked.exchange is None:
        found = directory.find(asked.symbol)
    else:
        found = directory.get((asked.exchange, asked.symbol))
    if found is None:
        where = "" if asked.exchange is None else f" on exchange {asked.exchange[:100]!r}"
        what = "a name and an exchange of GET /api/instruments"
        raise refused(f"symbol {asked.symbol[:100]!r}{where} is not known; allowed: {what}")
    return found


def find_parameters(known: Mapping[str, Parameter], asked: Mapping[str, float]) -> dict[str, float]:
    """Give the number in force of each parameter of a strategy.

    Raises:
        TradingError: when one is unknown, or out of its range.
    """
    for name, value in asked.items():
        parameter = known.get(name)
        if parameter is None:
            allowed = ", ".join(sorted(known)) if known else "none, this strategy has no parameters"
            raise refused(f"parameter {name[:100]!r} is not known; allowed: {allowed}")
        least = -math.inf if parameter.min is None else parameter.min
        greatest = math.inf if parameter.max is None else parameter.max
        if not (math.isfinite(value) and least <= value <= greatest):
            allowed = f"a number from {least:.15g} to {greatest:.15g}"
            raise refused(f"parameter {name}={value:.15g} is not allowed; allowed: {allowed}")
    return {name: asked.get(name, each.default) for name, each in known.items()}
