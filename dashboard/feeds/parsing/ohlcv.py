"""Bars as text: CSV with a header, its columns in any order, the oldest bar first.

    timestamp,open,high,low,close,volume
    2021-12-31 23:01:00.000000,46319.0,46385.0,46319.0,46377.0,2300413.7295

A bar's time is that of its open: ISO 8601, UTC where it names no zone, or whole seconds or
milliseconds since the Unix epoch. The volume may be missing and is 0 then; other columns are
left out. Lines are counted from 1, the header included.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from dashboard.core.clocks import EARLIEST_NS, LATEST_NS
from dashboard.core.errors import ParseError

SOURCE = "CSV"
TIMES = ("timestamp", "time", "datetime", "date")
PRICES = ("open", "high", "low", "close")
VOLUME = "volume"
ALLOWED = f"{TIMES[0]}, {', '.join(PRICES)} and {VOLUME}, in any order, {VOLUME} may be missing"
NS_PER_MS = 1_000_000
SECONDS_BELOW = 100_000_000_000
"""A greater number since the Unix epoch is in milliseconds."""


class OhlcvBar(msgspec.Struct, frozen=True, gc=False):
    """One bar; `timestamp` is its open in ms since the Unix epoch, UTC."""

    line: int
    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BadLine(msgspec.Struct, frozen=True, gc=False):
    """A line that is no bar, or none that can follow on those before it."""

    line: int
    reason: str


class _Time(NamedTuple):
    """A time in ms, and the zone in which it was written: None for none."""

    timestamp: int
    zone: timedelta | None


class OhlcvText:
    """Read bars one by one; what is bad is left out of what follows.

    Raises:
        ParseError: when there is no header, or a column is missing or there twice.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rows = csv.reader(lines)
        names = [name.strip().lower() for name in next(self._rows, ())]
        self._width = len(names)
        self._time = _find(names, TIMES)
        self._prices = [_find(names, (name,)) for name in PRICES]
        self._volume = _find(names, (VOLUME,)) if VOLUME in names else None
        self._last: _Time | None = None

    @property
    def has_volume(self) -> bool:
        """Tell whether there is a column of volumes."""
        return self._volume is not None

    def __iter__(self) -> Iterator[OhlcvBar | BadLine]:
        while True:
            try:
                row = next(self._rows, None)
                if row is None:
                    return
                if row:
                    yield self._read(row)
            except (ValueError, csv.Error) as error:
                yield BadLine(self._rows.line_num, str(error))

    def _read(self, row: Sequence[str]) -> OhlcvBar:
        """Read one row; a ValueError says what is wrong with it."""
        if len(row) != self._width:
            raise ValueError(f"{len(row)} columns, where the header has {self._width}")
        time = parse_time(row[self._time])
        opens, high, low, close = (
            parse_number(row[column], name)
            for column, name in zip(self._prices, PRICES, strict=True)
        )
        volume = 0.0 if self._volume is None else parse_number(row[self._volume], VOLUME)
        _check(opens, high, low, close, volume)
        self._check_time(time)
        self._last = time
        line = self._rows.line_num
        return OhlcvBar(line, time.timestamp, opens, high, low, close, volume)

    def _check_time(self, time: _Time) -> None:
        last = self._last
        if last is None:
            return
        if time.zone != last.zone:
            raise ValueError("the time's zone is not that of the lines before")
        if time.timestamp == last.timestamp:
            raise ValueError("the time is there twice")
        if time.timestamp < last.timestamp:
            raise ValueError("the time is before that of the line before")


def parse_time(text: str) -> _Time:
    """Read a time.

    Raises:
        ValueError: when it is none.
    """
    text = text.strip()
    if text.isdecimal() and len(text) > len("20211231"):
        number = int(text)
        timestamp, zone = number * 1000 if number < SECONDS_BELOW else number, timedelta(0)
    else:
        try:
            read = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"time {text[:40]!r} is not ISO 8601 or an epoch's") from error
        zone = read.utcoffset()
        if zone is None:
            read = read.replace(tzinfo=UTC)
        timestamp = round(read.timestamp() * 1000)
    if not EARLIEST_NS <= timestamp * NS_PER_MS < LATEST_NS:
        raise ValueError(f"time {text[:40]!r} is not between 1970 and 2200")
    return _Time(timestamp, zone)


def parse_number(text: str, name: str) -> float:
    """Read a finite number; `name` is its column's.

    Raises:
        ValueError: when it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} {text[:40]!r} is no finite number")
    return number


def _find(names: Sequence[str], wanted: Sequence[str]) -> int:
    """Find the first of some columns that is there."""
    found = next((name for name in wanted if name in names), None)
    problem = f"line 1: there is no column {wanted[0]!r}"
    if found is not None:
        if names.count(found) == 1:
            return names.index(found)
        problem = f"line 1: the column {found!r} is there twice"
    raise ParseError(venue=SOURCE, problem=f"{problem}; allowed: {ALLOWED}")


def _check(opens: float, high: float, low: float, close: float, volume: float) -> None:
    if high < low:
        raise ValueError(f"high {high!r} is below low {low!r}")
    if opens <= 0 or close <= 0:
        raise ValueError("open and close must be above 0")
    if volume < 0:
        raise ValueError("the volume is below 0")
