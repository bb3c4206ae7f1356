"""How much of its limits a client uses. Pure.

Two limits bound a client: the absolute limit of an instrument its position in
it, and the delta limit of an underlying the sum of its positions in all
instruments of that underlying. Each instrument counts with a delta of 1, so
positions of opposite sign offset each other. A limit holds either way, and a
position as large as its limit is still within it.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from dashboard.core.directory import Directory
from dashboard.core.instruments import Instrument
from dashboard.core.model import Positions


class Level(StrEnum):
    """How an amount stands towards its limit."""

    UNLIMITED = "unlimited"
    """No limit is known."""
    WITHIN = "within"
    NEAR = "near"
    """At 80 % of the limit, or more."""
    OVER = "over"


SEVERITY = {level: rank for rank, level in enumerate(Level)}
"""From the harmless to the worst."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """A signed amount set against its limit, which is None where none is known."""

    amount: float
    limit: float | None

    @property
    def level(self) -> Level:
        """Tell how the amount stands towards its limit; nothing is within any limit."""
        size = abs(self.amount)
        if self.limit is None:
            return Level.UNLIMITED
        if size > self.limit:
            return Level.OVER
        if size and 5 * (size / 8) >= 4 * (self.limit / 8):  # eighths, so that none overflows
            return Level.NEAR
        return Level.WITHIN

    @property
    def share(self) -> float | None:
        """Give the part of the limit that is used: 1.0 is all of it.

        Infinite where the limit is 0, or too small beside the amount.
        """
        if self.limit is None:
            return None
        if not self.limit:
            return float("inf") if self.amount else 0.0
        return abs(self.amount) / self.limit


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A client's position in one instrument, and its delta in the instrument's underlying.

    `underlying` and `delta` are None where the instrument's underlying is unknown.
    """

    exchange: str
    client: str
    symbol: str
    position: Usage
    underlying: str | None = None
    delta: Usage | None = None

    @property
    def level(self) -> Level:
        """Give the worse of the two levels."""
        level = self.position.level
        if self.delta is None:
            return level
        other = self.delta.level
        return level if SEVERITY[level] >= SEVERITY[other] else other

    @property
    def share(self) -> float:
        """Give the larger of the two used parts; 0 without a limit."""
        share = self.position.share or 0.0
        return share if self.delta is None else max(share, self.delta.share or 0.0)


def total(amounts: Iterable[float]) -> float:
    """Add finite amounts up, exactly; a sum beyond any float is the largest float of its sign."""
    amounts = list(amounts)
    try:
        return math.fsum(amounts)
    except OverflowError:  # on the way, though the sum itself may be one that a float holds
        shrunk = 2.0 ** -len(amounts).bit_length()
        sum_ = math.fsum(amount * shrunk for amount in amounts) / shrunk
        return sum_ if math.isfinite(sum_) else math.copysign(sys.float_info.max, sum_)


def expose(accounts: Iterable[Positions], directory: Directory) -> list[Exposure]:
    """Set every position against its limits, in the order given.

    `accounts` holds the positions of each client once. An instrument is looked
    up by its full id, else by its symbol alone, as a source of positions may
    name none of the exchanges; of two with one symbol, the first counts.
    """
    return [exposure for account in accounts for exposure in _expose(account, directory)]


def _expose(account: Positions, directory: Directory) -> list[Exposure]:
    found = {
        symbol: directory.get((account.exchange, symbol)) or directory.find(symbol)
        for symbol in account.positions
    }
    of_underlying: defaultdict[str, list[float]] = defaultdict(list)
    for symbol, amount in account.positions.items():
        if (instrument := found[symbol]) and instrument.underlying:
            of_underlying[instrument.underlying].append(amount)
    deltas = {underlying: total(amounts) for underlying, amounts in of_underlying.items()}
    return [
        _exposure(account, symbol, amount, found[symbol], deltas)
        for symbol, amount in account.positions.items()
    ]


def _exposure(
    account: Positions,
    symbol: str,
    amount: float,
    instrument: Instrument | None,
    deltas: Mapping[str, float],
) -> Exposure:
    underlying = instrument.underlying if instrument else None
    delta_limit = instrument.delta_limit if instrument else None
    return Exposure(
        exchange=account.exchange,
        client=account.client,
        symbol=symbol,
        position=Usage(amount=amount, limit=instrument.absolute_limit if instrument else None),
        underlying=underlying,
        delta=Usage(amount=deltas[underlying], limit=delta_limit) if underlying else None,
    )
