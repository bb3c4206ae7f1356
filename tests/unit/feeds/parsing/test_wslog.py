import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import FeedError
from dashboard.feeds.parsing import wslog
from dashboard.feeds.parsing.wslog import (
    Connected,
    Damage,
    Received,
    Record,
    Sent,
    parse_line,
    parse_records,
)

LINES = b"""\
wss://example.org/stream?a=b@c <-> 1618677816.8434298
wss://example.org/stream?a=b@c <- 1618677817.020616: {"type":"subscribe"}

1618677817.061845: {"a": "x <- 1.5: y"}
no record
1618677818: {}
"""
RECORDS: list[Record] = [
    Connected(1, 1618677816_843429800, "wss://example.org/stream?a=b@c"),
    Sent(2, 1618677817_020616000, "wss://example.org/stream?a=b@c", '{"type":"subscribe"}'),
    Received(4, 1618677817_061845000, '{"a": "x <- 1.5: y"}'),
    Damage(5, "the line is no record"),
    Received(6, 1618677818_000000000, "{}"),
]


def read(raw: bytes) -> list[Record]:
    return list(parse_records(io.BytesIO(raw), feed="replay"))


def test_a_plain_recording_is_read() -> None:
    assert read(LINES) == RECORDS


def test_a_gzip_recording_is_read() -> None:
    assert read(gzip.compress(LINES)) == RECORDS


@pytest.mark.parametrize("raw", [b"", b"\n", b"\n \r\n\n"])
def test_blank_lines_are_no_damage(raw: bytes) -> None:
    assert read(raw) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{}", "the line is no record"),
        (b"12.5 {}", "the line is no record"),
        (b"12.5.6: {}", "the line is no record"),
        (b"-1: {}", "the line is no record"),
        (b"wss://example.org <-> soon", "the line is no record"),
        (b"wss://example.org <- 12.5", "the line is no record"),
        (b"99999999999999999999: {}", "the line is no record"),
        (b"12.5: \xff\xfe", "the line is not UTF-8"),
    ],
)
def test_a_damaged_line_says_where_and_why(line: bytes, reason: str) -> None:
    assert read(b"\n12.5: {}\n" + line + b"\n13: {}") == [
        Received(2, 12_500_000_000, "{}"),
        Damage(3, reason),
        Received(4, 13_000_000_000, "{}"),
    ]


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    raw = gzip.compress(b"".join(b"%d: {}\n" % second for second in range(9)))
    records = read(raw[:-9])
    assert records[:9] == [Received(n + 1, n * 1_000_000_000, "{}") for n in range(9)]
    assert isinstance(records[9], Damage)
    assert records[9].line == 10
    assert records[9].reason.startswith("the recording breaks off: ")


@pytest.mark.parametrize(
    "raw", [b"\x1f\x8b", b"\x1f\x8bgarbage" * 9, gzip.compress(LINES, mtime=0)[:12]]
)
def test_garbage_is_refused_for_good(raw: bytes) -> None:
    with pytest.raises(FeedError, match="the recording cannot be read") as caught:
        read(raw)
    assert caught.value.terminal


@given(ts_ns=st.integers(0, 10**18), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read_again(ts_ns: int, text: str) -> None:
    url = "wss://example.org/x"
    plain = text.replace("\r", " ").replace("\n", " ")
    line = wslog.encode_received(ts_ns, text)
    assert line.count("\n") == 1
    received = parse_line(1, line.encode())
    assert received == Received(1, ts_ns, plain)
    sent = parse_line(2, wslog.encode_sent(ts_ns, url, "{}").encode())
    assert sent == Sent(2, ts_ns, url, "{}")
    connected = parse_line(3, wslog.encode_connected(ts_ns, url).encode())
    assert connected == Connected(3, ts_ns, url)


@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=9))
def test_no_line_breaks_the_reading(lines: list[bytes]) -> None:
    if lines and lines[0].startswith(wslog.GZIP_MAGIC):
        lines[0] = b""
    records = read(b"\n".join(lines))
    assert len(records) <= len(lines)
