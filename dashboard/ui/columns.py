"""The rows of a batch: arrays on the wire, their columns declared here and nowhere else.

`components/live/columns.js` has the columns' positions for the page and is made from this
module, by `python -m dashboard.ui.columns`. What the keys mean that hold rows stands in
`ui.batch`. Prices and sizes are floats; `at` is the number of a watched instrument; times
are ms since the Unix epoch unless a column says otherwise.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "components" / "live" / "columns.js"
HEADER = """\
// Where the columns of a batch's rows stand. Made from dashboard/ui/columns.py, which says what
// they hold, by `python -m dashboard.ui.columns`: change them there.
"""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all rows."""


class Watched(Row, frozen=True):
    """A watched instrument; its place in the list is its number, `at`.

    `kind`, `sends` and `bar_ms` are those of `core.instruments.Instrument`; `feed` serves it, and
    is empty where none does any more.
    """

    symbol: str
    exchange: str
    decimals: int
    tick_size: float
    kind: str | None
    sends: tuple[str, ...]
    feed: str
    bar_ms: int | None


class Listed(Row, frozen=True):
    """An instrument of those that the feeds list."""

    symbol: str
    exchange: str
    underlying: str | None
    tick_size: float
    absolute_limit: float | None
    delta_limit: float | None


class Found(Row, frozen=True):
    """A part of the instruments that match `text`, from the number `first` on.

    `found` match at all, of `listed` that there are.
    """

    text: str
    first: int
    found: int
    listed: int
    rows: list[Listed]


class Losses(Row, frozen=True):
    """What of this page's events was conflated and lost so far."""

    conflated: int
    lost: int


class StretchRow(Row, frozen=True):
    """A time in which a recording was played evenly, see `core.reports.Stretch`.

    `jumped` is 0 or 1.
    """

    played: int
    recorded: int
    pace: float | None
    jumped: int


class Hops(Row, frozen=True):
    """The way of the newest market event, in ms."""

    source_to_hub: float
    hub_to_sent: float


class Load(Row, frozen=True):
    """The serving process: percent of a core, MB, events per second."""

    cpu_pct: float
    mem_mb: int
    msg_rate: int


class Echo(Row, frozen=True):
    """When the page sent a report, by its clock, and when that came, by the server's."""

    page_ms: float
    came_ms: float


class TradeRow(Row, frozen=True):
    """A trade; `side` is 1 where the buyer took, else -1."""

    at: int
    price: float
    size: float
    side: int
    time: int


class NamedTradeRow(TradeRow, frozen=True):
    """A trade whose source names the clients."""

    buyer: str | None
    seller: str | None


class BookRow(Row, frozen=True):
    """A book: each side flat, price, size, price, size, ..., best first; `partial` is 0 or 1."""

    at: int
    bids: list[float]
    asks: list[float]
    partial: int


class QuoteRow(Row, frozen=True):
    """The best bid and offer; an empty side has price null and size 0."""

    time: int
    bid: float | None
    bid_size: float
    ask: float | None
    ask_size: float


class PriceRow(Row, frozen=True):
    """A price, and the time from which on it held."""

    time: int
    price: float


class Counts(Row, frozen=True):
    """Events of the chosen instrument by kind."""

    quotes: int
    books: int
    trades: int
    prices: int


class Past(Row, frozen=True):
    """The last minute of the chosen instrument, oldest first."""

    quotes: list[QuoteRow]
    trades: list[TradeRow]
    theos: list[PriceRow]
    prices: list[PriceRow]


class BarRow(Row, frozen=True):
    """A bar; `start` is in seconds."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarsPart(Row, frozen=True):
    """Bars of one interval; `whole` is 1 where they stand for all that the page has."""

    interval: str
    rows: list[BarRow]
    whole: int


class CurveName(Row, frozen=True):
    """A line of the PnL chart: `label` is HTML."""

    id: str
    label: str


class CurvesPart(Row, frozen=True):
    """Points of the PnL chart: of each line its last ones, up to that of number `bucket` at `time`.

    A point stands for `step` ms. `names` are the lines from now on; None stands for those of
    before. A line that is new has all its points of the range.
    """

    minutes: int
    bucket: int
    time: int
    step: int
    names: list[CurveName] | None
    rows: list[list[float | None]]


CONSTANTS: dict[str, type[Row]] = {
    "WATCHED": Watched,
    "LISTED": Listed,
    "FOUND": Found,
    "LOSSES": Losses,
    "STRETCH": StretchRow,
    "HOPS": Hops,
    "LOAD": Load,
    "ECHO": Echo,
    "TRADE": NamedTradeRow,
    "BOOK": BookRow,
    "QUOTE": QuoteRow,
    "PRICED": PriceRow,
    "COUNTS": Counts,
    "PAST": Past,
    "BAR": BarRow,
    "BARS": BarsPart,
    "CURVE": CurveName,
    "CURVES": CurvesPart,
}
"""The rows by what the page calls them."""


def javascript() -> str:
    """Write the page's module of constants."""
    constants = (
        f"export const {name} = Object.freeze({{ {_positions(row.__struct_fields__)} }});\n"
        for name, row in CONSTANTS.items()
    )
    return HEADER + "\n" + "".join(constants)


def _positions(fields: Sequence[str]) -> str:
    return ", ".join(f"{_camel_case(field)}: {at}" for at, field in enumerate(fields))


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


if __name__ == "__main__":
    FILE.write_text(javascript())
