"""What one push to a page carries: a compact dict, built from the events since the last push.

Keys are short because a page gets one of these every display frame:

| key | value |
|---|---|
| `g`, `n` | generation of the stream (random, new on every connect), number of the push in it |
| `t` | server clock at sending, ms since the Unix epoch |
| `k` | how often the phase was shifted so far, see `core.pacing` |
| `c` | events that this push stands for, control and system included |
| `l` | conflated and lost events of this page so far |
| `h` | source to hub, hub to sent, in ms, of the newest market event |
| `p` | prices, flat and in order: symbol index, price, symbol index, price, ... |
| `r` | trades: [symbol index, price, size, 1 (buy) or -1 (sell), time in ms] |
| `b` | book of the chosen symbol: [symbol index, [price, size, ...] bids, asks], best first |
| `y` | system: [CPU %, MB, events/s] |
| `v` | number of the description that symbol indexes refer to |
| `d` | what changes rarely, also once a second: symbols, choice, interval (see `ui.bridge`) |
| `f` | feeds, once a second: name, state, last_event_age_s, events, gaps, skipped |
| `e` | echo of the page's clock for the offset estimate: [page sent, server received], ms |
| `i` | when the page asks: all instruments, see `ui.tab` |
| `s` | 1 in the pushes that a stream begins with, until the page answers that it took one |

A page about one instrument has its chosen symbol in detail:

| key | value |
|---|---|
| `q` | quotes: [time in ms, bid, bid size, ask, ask size]; an empty side has price null |
| `o` | the theoretical price of its underlying, when it is new |
| `m` | its events in this push, before any was conflated: quotes, books, trades, prices |
| `w` | the last minute, instead of all that the page has of it: [quotes, trades] like `q`, `r` |
| `a` | bars: their length, the new and changed ones, 1 when they stand for all; see `ui.closeup` |

Only `g n t k v c l` are always there. `b` ends with a 1 while the book is partial; a trade whose
source names them ends with buyer and seller. A feed that is a replay has position_s, duration_s,
speed, paused and note (what is wrong with the recording) too, and `f` comes at once after a
control.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.core.clocks import CLOCK_SET_NS
from dashboard.core.instruments import Instrument
from dashboard.core.model import (
    Book,
    Kind,
    MarketEvent,
    Price,
    Published,
    Quote,
    Side,
    System,
    Theo,
    Trade,
)

NS_PER_MS = 1_000_000
MAX_PAST_TRADES = 1000
PAST_QUOTE_MS = 50
"""Of the quotes before the page was opened, the last of each such span is sent."""

Key = tuple[str, str]
"""What tells instruments apart: (exchange, symbol)."""

COUNTED = (Kind.QUOTE, Kind.BOOK, Kind.TRADE, Kind.PRICE)


def market_part(
    entries: Sequence[Published], *, index: Mapping[Key, int], chosen: Key | None, now: int
) -> dict[str, Any]:
    """Collect the market's share of a push.

    `index` numbers the watched instruments; events of others are only counted.
    Of several books of the chosen one the newest counts. `now` is the time of
    sending in ns, by the monotonic clock.
    """
    part: dict[str, Any] = {"c": len(entries)}
    for entry in entries:
        event = entry.event
        if isinstance(event, MarketEvent):
            key = (event.exchange, event.symbol)
            if (at := index.get(key)) is not None:
                _add(part, at, event, with_book=key == chosen)
        elif isinstance(event, System):
            part["y"] = [event.cpu_pct, event.mem_mb, event.msg_rate]
    if (newest := _newest_of_market(entries)) is not None:
        part["h"] = [
            round((newest.ts_received - newest.event.ts_event) / NS_PER_MS, 2),
            round((now - newest.monotonic_ns) / NS_PER_MS, 2),
        ]
    return part


def _add(part: dict[str, Any], at: int, event: MarketEvent, *, with_book: bool) -> None:
    """Add an event of the instrument of number `at`."""
    match event:
        case Price(price=price):
            part.setdefault("p", []).extend((at, price))
        case Trade(historical=False):
            part.setdefault("r", []).append(_trade(at, event))
        case Book() if with_book:
            part["b"] = _book(at, event)
        case _:
            pass


def detail_part(entries: Iterable[Published], instrument: Instrument) -> dict[str, Any]:
    """Collect what a page about one instrument is told beside that: `q` and `o`."""
    key = instrument.key
    quotes: list[list[Any]] = []
    part: dict[str, Any] = {}
    for entry in entries:
        match entry.event:
            case Quote(exchange=exchange, symbol=symbol) as quote if (exchange, symbol) == key:
                quotes.append(_quote(quote))
            case Theo(exchange=exchange, underlying=underlying, price=price) if (
                exchange == instrument.exchange and underlying == instrument.underlying
            ):
                part["o"] = price
            case _:
                pass
    if quotes:
        part["q"] = quotes
    return part


def counts(entries: Iterable[Published], key: Key) -> list[int] | None:
    """Count an instrument's events by kind, as `m` has them; None when there are none."""
    found = [0] * len(COUNTED)
    for entry in entries:
        kind, exchange, symbol = entry.topic
        if symbol == key[1] and exchange == key[0] and kind in COUNTED:
            found[COUNTED.index(kind)] += 1
    return found if any(found) else None


def past_part(
    entries: Iterable[Published], *, at: int, offset_ns: int = 0
) -> list[list[list[Any]]]:
    """Thin out an instrument's last minute to what its charts can show, as `w` has it.

    `at` is the instrument's number, `entries` are its quotes and trades, oldest first.
    `offset_ns` is what the wall clock shows now more than the monotonic one: where it
    was set since an entry came, the entry's time is moved along.
    """
    quotes: dict[int, list[Any]] = {}
    trades: list[list[Any]] = []
    for entry in entries:
        moved_ns = offset_ns - (entry.ts_received - entry.monotonic_ns)
        moved_ms = moved_ns // NS_PER_MS if abs(moved_ns) > CLOCK_SET_NS else 0
        match entry.event:
            case Quote() as quote:
                row = _quote(quote, moved_ms)
                quotes[row[0] // PAST_QUOTE_MS] = row
            case Trade(historical=False) as trade:
                trades.append(_trade(at, trade, moved_ms))
            case _:
                pass
    return [list(quotes.values()), trades[-MAX_PAST_TRADES:]]


def _newest_of_market(entries: Sequence[Published]) -> Published | None:
    return next((e for e in reversed(entries) if isinstance(e.event, MarketEvent)), None)


def _trade(at: int, trade: Trade, moved_ms: int = 0) -> list[Any]:
    side = 1 if trade.aggressor_side is Side.BUY else -1
    row = [at, trade.price, trade.size, side, trade.ts_event // NS_PER_MS + moved_ms]
    if trade.buyer is None and trade.seller is None:
        return row
    return [*row, trade.buyer, trade.seller]


def _book(at: int, book: Book) -> list[Any]:
    row: list[Any] = [at, _flat(book.bids), _flat(book.asks)]
    return [*row, 1] if book.partial else row


def _quote(quote: Quote, moved_ms: int = 0) -> list[Any]:
    sides = (quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size)
    return [quote.ts_event // NS_PER_MS + moved_ms, *sides]


def _flat(levels: Iterable[tuple[float, float]]) -> list[float]:
    return [number for level in levels for number in level]
