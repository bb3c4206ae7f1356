"""Write a table as a file: CSV or Parquet. Run it in a worker thread.

pandas is imported on first use: it takes half a second and tens of megabytes,
which a server that exports nothing need not spend.
"""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from dashboard.endpoints.tables import Column, Table, Type

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula."""


def write_csv(table: Table) -> bytes:
    """Write RFC 4180 in UTF-8, times as ISO 8601; what could run as a formula begins with '."""
    text = [column.name for column in table if column.type is Type.TEXT]
    frame = _frame(table)
    frame[text] = frame[text].map(_defused, na_action="ignore")
    return frame.to_csv(
        index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ", lineterminator="\r\n"
    ).encode()


def write_parquet(table: Table) -> bytes:
    """Write Parquet: times in ns UTC, texts as they are."""
    file = BytesIO()
    _frame(table).to_parquet(file, index=False, engine="pyarrow")
    return file.getvalue()


WRITERS: dict[str, tuple[str, Callable[[Table], bytes]]] = {
    "csv": ("text/csv", write_csv),
    "parquet": ("application/vnd.apache.parquet", write_parquet),
}
"""By the file's suffix: its media type, and what writes it."""


def _defused(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _frame(table: Table) -> "DataFrame":
    from pandas import DataFrame

    return DataFrame({column.name: _series(column) for column in table})


def _series(column: Column) -> "Series":
    from pandas import Series, to_datetime

    if column.type is Type.TIME:
        return to_datetime(Series(column.values, dtype="int64"), unit="ns", utc=True)
    return Series(column.values, dtype="str" if column.type is Type.TEXT else "float64")
