"""The clients' PnL over time, as one page is told it: points, once a second.

The page keeps what it was told, so a client's line is told whole once, and then by its newest
points. Nothing of a line is kept here.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from html import escape

from dashboard.core.accounts import Account
from dashboard.core.readers import AccountReader
from dashboard.ui.columns import CurveName, CurvesPart

SECOND_NS = 1_000_000_000
NS_PER_MS = 1_000_000
RANGES_MIN = (1, 5, 15, 30)
POINTS = 300
"""Points of a line, at most."""
COLORS = 8
DASHES = ("solid", "dash", "dot")
MAX_LINES = COLORS * len(DASHES)
MAX_NAME = 40
"""Characters of a client's name in the chart."""


class Curves:
    """What one page has been told of the lines so far."""

    def __init__(self, accounts: AccountReader, *, minutes: int) -> None:
        """`minutes` is one of `RANGES_MIN`."""
        self._accounts = accounts
        self._minutes = minutes
        self._second = 0
        self._told: list[CurveName] = []
        self._bucket = 0
        """The newest that it has been told of."""

    def show(self, minutes: int) -> None:
        """Tell the lines over another range, from the next push on."""
        self._minutes = minutes
        self.recall()

    def recall(self) -> None:
        """Tell all lines whole with the next push."""
        self._told = []
        self._second = 0

    def part(self, *, now_ns: int, offset_ns: int = 0) -> CurvesPart | None:
        """Give what is to be told, once a second; None in between.

        `now_ns` is by the monotonic clock, as that of the samples; `offset_ns` is what the
        wall clock shows more: the axis counts back from the time of day. A point holds the last
        value of its bucket of time, and stands at the bucket's start; buckets begin at whole
        multiples of their width, so that a point stays what it is from one second to the next.
        The newest is told again until its time is over.
        """
        if now_ns // SECOND_NS == self._second:
            return None
        self._second = now_ns // SECOND_NS
        step_ns = step_s(self._minutes) * SECOND_NS
        bucket = now_ns // step_ns
        lines = drawn(self._accounts.current())
        names = _names(lines)
        known, since = {each.id for each in self._told}, self._bucket
        whole = self._minutes * 60 // step_s(self._minutes)
        rows = [
            _points(line, since if name.id in known else bucket - whole, bucket, step_ns)
            for line, name in zip(lines, names, strict=True)
        ]
        news = None if names == self._told else names
        self._told, self._bucket = names, bucket
        return CurvesPart(
            minutes=self._minutes,
            bucket=bucket,
            time=(bucket * step_ns + offset_ns) // NS_PER_MS,
            step=step_ns // NS_PER_MS,
            names=news,
            rows=rows,
        )


def step_s(minutes: int) -> int:
    """Give the width of a bucket in a range."""
    return max(1, minutes * 60 // POINTS)


def drawn(accounts: Sequence[Account]) -> list[Account]:
    """Choose whose PnL is drawn: everyone's, or of very many the largest either way."""
    with_pnl = [each for each in accounts if each.pnl is not None]
    if len(with_pnl) <= MAX_LINES:
        return with_pnl
    largest = sorted(with_pnl, key=lambda each: -abs(pnl_of(each)))[:MAX_LINES]
    return [each for each in with_pnl if each in largest]


def pnl_of(account: Account) -> float:
    """Give a client's latest PnL; zero where none was heard of."""
    return account.pnl.pnl if account.pnl is not None else 0.0


def namesakes_in(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the names that stand with more than one exchange in pairs of name and exchange."""
    seen = Counter(name for name, _ in set(pairs))
    return frozenset(name for name, exchanges in seen.items() if exchanges > 1)


def _names(lines: Sequence[Account]) -> list[CurveName]:
    namesakes = namesakes_in((each.client, each.exchange) for each in lines)
    return [
        CurveName(
            id=f"{each.exchange}:{each.client}",
            label=escape(_label(each, namesakes), quote=False),  # plotly reads it as HTML
        )
        for each in lines
    ]


def _label(account: Account, namesakes: Container[str]) -> str:
    name = account.client[:MAX_NAME]
    return f"{name} {account.exchange}" if account.client in namesakes else name


def _points(line: Account, first: int, last: int, step_ns: int) -> list[float | None]:
    ends = range((first + 1) * step_ns - 1, (last + 1) * step_ns, step_ns)
    return [value if value is None else round(value, 2) for value in line.series.at(ends)]
