"""What the PnL page shows of the clients as text: PnL and positions.

Time is passed in, `now_ns` by the monotonic clock, as that of the samples.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from dashboard.core.accounts import Account
from dashboard.core.limits import SEVERITY, Exposure, Level, Usage, total
from dashboard.ui.curves import COLORS, DASHES, namesakes_in, pnl_of
from dashboard.ui.formatting import NONE, format_age, format_amount, format_share, format_signed

SECOND_NS = 1_000_000_000
MAX_ROWS = 200
PRESSING = frozenset({Level.NEAR, Level.OVER})


class PnlRow(NamedTuple):
    """A client's line: how it is drawn, and its figures as text.

    `color` counts from 1 and is empty where the client is not drawn; `venue` is the
    exchange where clients of two exchanges have one name, else empty.
    """

    client: str
    venue: str
    color: str
    dash: str
    pnl: str
    direction: str
    change: str
    age: str


class PositionRow(NamedTuple):
    """A position as text; `used` and `delta_used` are percent for the bars, `worst` a level.

    `venue` is the exchange where positions in two instruments of one symbol are shown, else empty.
    """

    client: str
    symbol: str
    venue: str
    position: str
    limit: str
    share: str
    used: str
    level: str
    words: str
    underlying: str
    delta: str
    delta_limit: str
    delta_share: str
    delta_used: str
    delta_level: str
    delta_words: str
    worst: str


def pnl_rows(
    accounts: Sequence[Account], lines: Sequence[Account], *, minutes: int, now_ns: int
) -> list[PnlRow]:
    """List the latest PnL of every client, the largest first, with its change over the range.

    A client that was first heard of within the range has changed since then, and its change
    says in how long.
    """
    numbers = {id(account): at for at, account in enumerate(lines)}
    start_ns = now_ns - minutes * 60 * SECOND_NS
    rows: list[PnlRow] = []
    with_pnl = [each for each in accounts if each.pnl is not None]
    namesakes = namesakes_in((each.client, each.exchange) for each in with_pnl)
    for account in sorted(with_pnl, key=lambda each: (-pnl_of(each), each.client)):
        pnl = pnl_of(account)
        (before,) = account.series.at([start_ns])
        change = total((pnl, -(account.series.values[0] if before is None else before)))
        known_s = (now_ns - account.series.moments[0]) / SECOND_NS
        number = numbers.get(id(account))
        rows.append(
            PnlRow(
                client=account.client,
                venue=account.exchange if account.client in namesakes else "",
                color="" if number is None else str(number % COLORS + 1),
                dash="" if number is None else DASHES[number // COLORS],
                pnl=format_signed(pnl, 2),
                direction="up" if pnl > 0 else "down" if pnl < 0 else "flat",
                change=format_signed(change, 2)
                + (f" in {format_age(known_s)}" if before is None else ""),
                age=format_age((now_ns - account.series.moments[-1]) / SECOND_NS),
            )
        )
    return rows


def matching(exposures: Iterable[Exposure], *, search: str, only_pressing: bool) -> list[Exposure]:
    """Keep the positions that contain every word searched for, in whatever case."""
    words = search.casefold().split()
    return [
        each
        for each in exposures
        if (not only_pressing or each.level in PRESSING)
        and all(word in _text(each) for word in words)
    ]


SORT_KEYS: dict[str, Callable[[Exposure], Any]] = {
    "client": lambda each: each.client.casefold(),
    "instrument": lambda each: each.symbol.casefold(),
    "position": lambda each: each.position.amount,
    "limit": lambda each: each.position.limit,
    "used": lambda each: each.position.share,
    "underlying": lambda each: each.underlying and each.underlying.casefold(),
    "delta": lambda each: each.delta and each.delta.amount,
    "delta limit": lambda each: each.delta and each.delta.limit,
    "delta used": lambda each: each.delta and each.delta.share,
    "status": lambda each: (SEVERITY[each.level], each.share),
}
"""What a column is sorted by; None stands for no value."""


def ordered(exposures: Iterable[Exposure], *, column: str, descending: bool) -> list[Exposure]:
    """Sort by a column, then by client and instrument; what has no value comes last.

    Raises:
        KeyError: when there is no such column.
    """
    key = SORT_KEYS[column]
    listed = sorted(
        exposures, key=lambda each: (each.client.casefold(), each.symbol.casefold(), each.exchange)
    )
    keyed = [(key(each), each) for each in listed]
    valued = [pair for pair in keyed if pair[0] is not None]
    valued.sort(key=itemgetter(0), reverse=descending)
    return [each for _, each in valued] + [each for value, each in keyed if value is None]


def position_rows(exposures: Sequence[Exposure]) -> list[PositionRow]:
    """Write positions as text, in the order given."""
    namesakes = namesakes_in((each.symbol, each.exchange) for each in exposures)
    return [
        _position_row(each, venue=each.exchange if each.symbol in namesakes else "")
        for each in exposures
    ]


def _position_row(exposure: Exposure, *, venue: str) -> PositionRow:
    position, delta = exposure.position, exposure.delta
    return PositionRow(
        client=exposure.client,
        symbol=exposure.symbol,
        venue=venue,
        position=format_amount(position.amount, signed=True),
        limit=format_amount(position.limit),
        share=format_share(position.share),
        used=_used(position),
        level=position.level,
        words=_words(position),
        underlying=exposure.underlying or NONE,
        delta=format_amount(delta and delta.amount, signed=True),
        delta_limit=format_amount(delta and delta.limit),
        delta_share=format_share(delta and delta.share),
        delta_used=_used(delta),
        delta_level=delta.level if delta else Level.UNLIMITED,
        delta_words=_words(delta),
        worst=exposure.level,
    )


def _text(exposure: Exposure) -> str:
    names = (exposure.client, exposure.symbol, exposure.exchange, exposure.underlying or "")
    return " ".join(names).casefold()


def _used(usage: Usage | None) -> str:
    """Give how far the bar reaches, in percent; a full bar is all of the limit or more."""
    return f"{min(usage.share, 1.0):.0%}" if usage and usage.share is not None else "0%"


def _words(usage: Usage | None) -> str:
    if usage is None or usage.limit is None:
        return ""
    left = usage.limit - abs(usage.amount)
    if usage.level is Level.OVER:
        return f"over by {format_amount(-left)}"
    return f"near, {format_amount(left)} left" if usage.level is Level.NEAR else ""
