"""ISO 8601 in both directions, in nanoseconds since the Unix epoch. Pure."""

import re
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WITH_MICROSECONDS = len("20260105T093000.123456")
BEYOND_MICROSECONDS = re.compile(r"[.,]\d{6}(\d{1,3})")


def parse_timestamp(text: str) -> int:
    """Read a point in time; without an offset it is UTC, digits beyond ns are cut off.

    >>> parse_timestamp("1970-01-01T01:00:00.000000123+01:00")
    123

    Raises:
        ValueError: when it is none.
    """
    moment = datetime.fromisoformat(text)  # reads any number of digits, to the microsecond
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - EPOCH
    ns = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
    if len(text) > WITH_MICROSECONDS:
        finer = BEYOND_MICROSECONDS.search(text)
        if finer is not None:
            ns += int(finer[1].ljust(3, "0"))
    return ns


def format_timestamp(ts_ns: int) -> str:
    """Write a point in time, to the microsecond.

    >>> format_timestamp(1_500_000)
    '1970-01-01T00:00:00.001500Z'
    """
    microseconds = ts_ns // 1000
    moment = datetime.fromtimestamp(microseconds // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds % 1_000_000:06d}Z"
