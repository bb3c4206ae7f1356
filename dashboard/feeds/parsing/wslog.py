"""Recordings of WebSocket traffic: `.wslog`, plain or gzip.

Source: the format in which the public project bmoscon/cryptofeed keeps raw
traffic. One record a line, T in Unix seconds by the recorder's clock:

    wss://ws-feed.pro.coinbase.com <-> 1618677816.8434298       connected
    wss://ws-feed.pro.coinbase.com <- 1618677817.020616: TEXT   sent by the recorder
    1618677817.061845: TEXT                                     received
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from dashboard.core.errors import FeedError

GZIP_MAGIC = b"\x1f\x8b"
_TIME = r"(\d{1,10})(?:\.(\d{1,12}))?"
_RECEIVED = re.compile(rf"{_TIME}: (.*)", re.DOTALL)
_CONNECTED = re.compile(rf"(\S+) <-> {_TIME}")
_SENT = re.compile(rf"(\S+) <- {_TIME}: (.*)", re.DOTALL)


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message that came in. `line` counts from 1."""

    line: int
    ts_ns: int
    text: str


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A message that the recorder sent."""

    line: int
    ts_ns: int
    url: str
    text: str


class Connected(msgspec.Struct, frozen=True, gc=False):
    """A connection that was made."""

    line: int
    ts_ns: int
    url: str


class Damage(msgspec.Struct, frozen=True, gc=False):
    """A line that is none of these."""

    line: int
    reason: str


class BreakOff(Damage, frozen=True, gc=False):
    """The end of a recording that breaks off: the line after its last."""


Record = Received | Sent | Connected | Damage


def parse_records(file: BinaryIO, *, feed: str) -> Iterator[Record]:
    """Read a recording from its beginning, in the order of the file; blank lines are left out.

    `file` can be sought, and stays the caller's to close; `feed` is named in the error.

    Raises:
        FeedError: terminal, when nothing of it can be read.
    """
    number = 0
    try:
        zipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        for number, line in enumerate(gzip.GzipFile(fileobj=file) if zipped else file, 1):
            record = parse_line(number, line)
            if record is not None:
                yield record
    except (OSError, EOFError, zlib.error) as error:
        if number == 0:
            problem = f"the recording cannot be read: {error}"
            raise FeedError(feed=feed, problem=problem, terminal=True) from error
        yield BreakOff(number + 1, f"the recording breaks off: {error}")


def parse_line(number: int, line: bytes) -> Record | None:
    """Read one line; None for a blank one."""
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Damage(number, "the line is not UTF-8")
    if not text.strip():
        return None
    if found := _RECEIVED.fullmatch(text):
        return Received(number, _ns(found[1], found[2]), found[3])
    if found := _SENT.fullmatch(text):
        return Sent(number, _ns(found[2], found[3]), found[1], found[4])
    if found := _CONNECTED.fullmatch(text):
        return Connected(number, _ns(found[2], found[3]), found[1])
    return Damage(number, "the line is no record")


def encode_received(ts_ns: int, text: str) -> str:
    """Write a received message as one line. Line ends in it become spaces: in JSON, the same."""
    return f"{_seconds(ts_ns)}: {_one_line(text)}\n"


def encode_sent(ts_ns: int, url: str, text: str) -> str:
    """Write a sent message as one line; line ends in it become spaces."""
    return f"{url} <- {_seconds(ts_ns)}: {_one_line(text)}\n"


def encode_connected(ts_ns: int, url: str) -> str:
    """Write a connection as one line."""
    return f"{url} <-> {_seconds(ts_ns)}\n"


def _ns(seconds: str, fraction: str | None) -> int:
    return int(seconds) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))


def _seconds(ts_ns: int) -> str:
    seconds, ns = divmod(ts_ns, 1_000_000_000)
    return f"{seconds}.{ns:09}"


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
