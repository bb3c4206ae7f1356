"""The tables that can be exported: their columns, and their rows one after the other.

A table is begun on the event loop, which copies what may still change: references
and plain arrays. Its rows are made as they are read, which a worker thread may do.
None stands for no value.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from dashboard.bootstrap import Services
from dashboard.core.bars import Interval
from dashboard.core.directory import Directory
from dashboard.core.instruments import Instrument
from dashboard.core.limits import Exposure, expose
from dashboard.core.model import Kind, Positions, Topic, Trade


class Type(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    """Nanoseconds since the Unix epoch, UTC; never None."""


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: Type


Row = Sequence[object]
"""A value for each column."""


class Table(NamedTuple):
    """Columns, and rows that can be read once."""

    columns: Sequence[Column]
    rows: Iterator[Row]


def _table(columns: Iterable[tuple[str, Type]], rows: Iterable[Row]) -> Table:
    return Table([Column(*column) for column in columns], iter(rows))


def instruments(running: Services) -> Table:
    """List the instruments of every feed, with their limits."""
    return _table(
        (
            ("exchange", Type.TEXT),
            ("instrument", Type.TEXT),
            ("underlying", Type.TEXT),
            ("tick_size", Type.NUMBER),
            ("absolute_limit", Type.NUMBER),
            ("delta_limit", Type.NUMBER),
        ),
        (
            (
                each.exchange,
                each.symbol,
                each.underlying,
                each.tick_size,
                each.absolute_limit,
                each.delta_limit,
            )
            for each in running.directory.listings
        ),
    )


def positions(running: Services) -> Table:
    """List the latest positions of every client, set against their limits.

    `position_share` and `delta_share` are the used parts of the limits, 1.0 for
    all of it; `timestamp` is when the positions reached us.
    """
    came = {(each.exchange, each.client): each.positions_ns for each in running.accounts.current()}
    return _table(
        (
            ("timestamp", Type.TIME),
            ("exchange", Type.TEXT),
            ("client", Type.TEXT),
            ("instrument", Type.TEXT),
            ("position", Type.NUMBER),
            ("absolute_limit", Type.NUMBER),
            ("position_share", Type.NUMBER),
            ("underlying", Type.TEXT),
            ("delta", Type.NUMBER),
            ("delta_limit", Type.NUMBER),
            ("delta_share", Type.NUMBER),
            ("level", Type.TEXT),
        ),
        (
            (
                came[each.exchange, each.client],
                each.exchange,
                each.client,
                each.symbol,
                each.position.amount,
                each.position.limit,
                each.position.share,
                each.underlying,
                each.delta and each.delta.amount,
                each.delta and each.delta.limit,
                each.delta and each.delta.share,
                each.level.value,
            )
            for each in _exposed(running.accounts.positions(), running.directory)
        ),
    )


def pnl(running: Services) -> Table:
    """Give the PnL of the last half hour, at most one sample a second for each client."""
    series: list[tuple[str, str, array[int], array[float]]] = [
        (each.exchange, each.client, each.series.times[:], each.series.values[:])
        for each in running.accounts.current()
    ]
    return _table(
        (
            ("timestamp", Type.TIME),
            ("exchange", Type.TEXT),
            ("client", Type.TEXT),
            ("pnl", Type.NUMBER),
        ),
        (
            (at, exchange, client, value)
            for exchange, client, times, values in series
            for at, value in zip(times, values, strict=True)
        ),
    )


def trades(running: Services, instrument: Instrument) -> Table:
    """List the trades of an instrument that the hub still holds: the last minute's."""
    topic = Topic(Kind.TRADE, instrument.exchange, instrument.symbol)
    remembered = running.hub.remembered(topic.kind.channel)
    found = (each.event for each in remembered if each.topic == topic)
    return _table(
        (
            ("timestamp", Type.TIME),
            ("exchange", Type.TEXT),
            ("instrument", Type.TEXT),
            ("price", Type.NUMBER),
            ("size", Type.NUMBER),
            ("aggressor_side", Type.TEXT),
            ("buyer", Type.TEXT),
            ("seller", Type.TEXT),
        ),
        (
            (
                each.ts_event,
                each.exchange,
                each.symbol,
                each.price,
                each.size,
                each.aggressor_side.value,
                each.buyer,
                each.seller,
            )
            for each in found
            if isinstance(each, Trade)
        ),
    )


def bars(running: Services, instrument: Instrument, interval: Interval) -> Table:
    """List the bars of an instrument that are kept; `timestamp` is the beginning of each."""
    return _table(
        (
            ("timestamp", Type.TIME),
            ("exchange", Type.TEXT),
            ("instrument", Type.TEXT),
            ("open", Type.NUMBER),
            ("high", Type.NUMBER),
            ("low", Type.NUMBER),
            ("close", Type.NUMBER),
            ("volume", Type.NUMBER),
        ),
        (
            (
                each.start,
                instrument.exchange,
                instrument.symbol,
                each.open,
                each.high,
                each.low,
                each.close,
                each.volume,
            )
            for each in running.bars.kept(instrument, interval)
        ),
    )


def _exposed(positions: Sequence[Positions], directory: Directory) -> Iterator[Exposure]:
    """Set positions against their limits when the first row is read: there may be many."""
    yield from expose(positions, directory)


TABLES: dict[str, Callable[[Services], Table]] = {
    "instruments": instruments,
    "positions": positions,
    "pnl": pnl,
}
TABLES_OF_INSTRUMENT: dict[str, Callable[[Services, Instrument], Table]] = {
    "trades": trades,
    **{f"bars/{interval}": partial(bars, interval=interval) for interval in Interval},
}
