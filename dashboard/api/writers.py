"""Files that are made of a table's rows, part by part: CSV or Parquet. For a worker thread.

pyarrow is imported on first use: a server that exports no Parquet need not spend
the time and the memory.
"""

import csv
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from io import BytesIO, StringIO
from typing import Any, NamedTuple, Protocol, cast

from dashboard.api.tables import Column, Row, Type

SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b-"
"""What begins a formula: = + - @, and their wide and small forms, which some take for the same."""
ENDS = r";\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029"
"""What ends a cell for a spreadsheet that separates by semicolons or tabs, in our quotes too."""
SKIPPED = r"\s\"\0-\x1f\x7f\u200b-\u200f\u2060\ufeff"
"""What a spreadsheet may leave out before a formula: blanks, quotes, what cannot be seen."""
BEGINNING = re.compile(rf"((?:\A|[{ENDS}])[{ENDS}{SKIPPED}]*)([{SIGNS}])?")
"""Where a cell may begin, and the sign there, if there is one."""
PIECE = 65_536
"""Bytes of a piece of Parquet; of CSV it is what some rows take."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class File(Protocol):
    """A file in the making."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add some rows."""
        ...

    def finish(self) -> Sequence[bytes]:
        """Give the whole file, in pieces; nothing can be added any more."""
        ...


class CsvFile:
    """RFC 4180 in UTF-8, times as ISO 8601; what could run as a formula has a ' before it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._formats = [FORMATS[column.type] for column in columns]
        self._pieces = [_csv([[defused(column.name) for column in columns]])]

    def write(self, rows: Sequence[Row]) -> None:
        """Add some rows."""
        formatted = [
            format_column(values)
            for format_column, values in zip(self._formats, zip(*rows, strict=True), strict=True)
        ]
        self._pieces.append(_csv(list(zip(*formatted, strict=True))))

    def finish(self) -> Sequence[bytes]:
        """Give the whole file, in pieces."""
        return self._pieces


class ParquetFile:
    """Parquet: times in ns UTC, texts as they are."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._arrow: Any = import_module("pyarrow")  # it has no types
        types = {
            Type.TEXT: self._arrow.string(),
            Type.NUMBER: self._arrow.float64(),
            Type.TIME: self._arrow.timestamp("ns", tz="UTC"),
        }
        self._columns = columns
        self._schema = self._arrow.schema([(each.name, types[each.type]) for each in columns])
        self._batches: list[Any] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Add some rows."""
        arrays = [
            self._arrow.array(_numbers(each) if column.type is Type.NUMBER else each, field.type)
            for column, field, each in zip(
                self._columns, self._schema, zip(*rows, strict=True), strict=True
            )
        ]
        self._batches.append(self._arrow.record_batch(arrays, schema=self._schema))

    def finish(self) -> Sequence[bytes]:
        """Give the whole file, in pieces."""
        file = BytesIO()
        table = self._arrow.Table.from_batches(self._batches, self._schema)
        import_module("pyarrow.parquet").write_table(table, file)
        whole = file.getbuffer()
        return [bytes(whole[at : at + PIECE]) for at in range(0, len(whole), PIECE)]


class Form(NamedTuple):
    """A kind of file, and how one is begun."""

    media_type: str
    make: Callable[[Sequence[Column]], File]


FILES = {
    "csv": Form("text/csv; charset=utf-8", CsvFile),
    "parquet": Form("application/vnd.apache.parquet", ParquetFile),
}
"""By the file's suffix."""


def _csv(rows: Sequence[Row]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def defused(text: str) -> str:
    """Put a ' before each sign with which a spreadsheet could begin a formula.

    A spreadsheet takes the cell apart where it goes by other separators than ours,
    so the mark stands at the sign itself.

    >>> defused("=1+1"), defused("a; =1+1;b"), defused("a-b")
    ("'=1+1", "a; '=1+1;b", 'a-b')
    """
    return BEGINNING.sub(_marked, text)


def _marked(beginning: re.Match[str]) -> str:
    return f"{beginning[1]}'{beginning[2]}" if beginning[2] else beginning[1]


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Defuse texts; most columns repeat a few."""
    safe = {each: each and defused(each) for each in set(values)}
    return [safe[each] for each in values]


def _numbers(values: Sequence[Any]) -> list[float | None]:
    return [None if each is None or each != each else float(each) for each in values]


def _times(values: Sequence[Any]) -> list[str]:
    return [_time(each) for each in cast("Sequence[int]", values)]


def _time(ns: int) -> str:
    seconds, rest_ns = divmod(ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest_ns // 1000:06d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


FORMATS: dict[Type, Callable[[Sequence[Any]], Sequence[object]]] = {
    Type.TEXT: _texts,
    Type.NUMBER: _numbers,
    Type.TIME: _times,
}
"""How CSV writes the values of a column."""
