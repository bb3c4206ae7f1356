from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.feeds.parsing.timestamps import format_timestamp, parse_timestamp

SECOND = 1_767_605_400_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-01-05T09:30:00Z", 0),
        ("2026-01-05T09:30:00", 0),
        ("2026-01-05 09:30:00", 0),
        ("2026-01-05T09:30:00+00:00", 0),
        ("2026-01-05T10:30:00+01:00", 0),
        ("2026-01-05T04:30:00-05:00", 0),
        ("20260105T093000Z", 0),
        ("2026-01-05T09:30:00.5Z", 500_000_000),
        ("2026-01-05T09:30:00,125Z", 125_000_000),
        ("2026-01-05T09:30:00.123456Z", 123_456_000),
        ("2026-01-05T09:30:00.1234567Z", 123_456_700),
        ("2026-01-05T09:30:00.123456789Z", 123_456_789),
        ("2026-01-05T09:30:00.123456789", 123_456_789),
        ("2026-01-05T10:30:00.123456789+01:00", 123_456_789),
        ("2026-01-05T09:30:00.123456789999Z", 123_456_789),
        ("20260105T093000.123456789Z", 123_456_789),
    ],
)
def test_iso_8601_becomes_nanoseconds(text: str, ns: int) -> None:
    assert parse_timestamp(text) == SECOND + ns


@pytest.mark.parametrize("text", ["", "now", "1767605400", "2026-13-05T09:30:00Z", "2026-01-05T9"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        parse_timestamp(text)


@given(st.datetimes(), st.sampled_from(["", "Z", "+00:00"]), st.integers(0, 999))
def test_nanoseconds_are_exact(moment: datetime, offset: str, ns: int) -> None:
    text = f"{moment.isoformat(timespec='microseconds')}{ns:03d}{offset}"
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    expected = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + ns
    assert parse_timestamp(text) == expected


@given(st.integers(0, 4 * 10**18))
def test_what_is_written_is_read_again_to_the_microsecond(ts_ns: int) -> None:
    assert parse_timestamp(format_timestamp(ts_ns)) == ts_ns // 1000 * 1000
