"""What one push to a page carries: a compact dict, built from the events since the last push.

Keys are short because a page gets one of these every display frame:

| key | value |
|---|---|
| `g`, `n` | generation of the stream (new on every connect), number of the push in it |
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

Only `g n t k v c l` are always there. `b` ends with a 1 while the book is partial. A feed that
is a replay has position_s, duration_s, speed and paused too, and `f` comes at once after a control.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.core.model import Book, MarketEvent, Price, Published, Side, System, Trade

NS_PER_MS = 1e6


def market_part(
    entries: Sequence[Published], *, index: Mapping[str, int], chosen: str, now: int
) -> dict[str, Any]:
    """Collect the market's share of a push.

    `index` numbers the watched symbols; events of other symbols are only
    counted. Of several books of the chosen symbol the newest counts. `now` is
    the time of sending in ns.
    """
    prices: list[float] = []
    trades: list[list[float]] = []
    part: dict[str, Any] = {"c": len(entries)}
    for entry in entries:
        match entry.event:
            case Price(symbol=symbol, price=price) if symbol in index:
                prices += (index[symbol], price)
            case Trade(symbol=symbol, historical=False) as trade if symbol in index:
                trades.append(_trade(index[symbol], trade))
            case Book(symbol=symbol) as book if symbol == chosen and symbol in index:
                part["b"] = [index[symbol], _flat(book.bids), _flat(book.asks)]
                if book.partial:
                    part["b"].append(1)
            case System() as system:
                part["y"] = [system.cpu_pct, system.mem_mb, system.msg_rate]
            case _:
                pass
    if prices:
        part["p"] = prices
    if trades:
        part["r"] = trades
    if (newest := _newest_of_market(entries)) is not None:
        part["h"] = [
            round((newest.ts_received - newest.event.ts_event) / NS_PER_MS, 2),
            round((now - newest.ts_received) / NS_PER_MS, 2),
        ]
    return part


def _newest_of_market(entries: Sequence[Published]) -> Published | None:
    return next((e for e in reversed(entries) if isinstance(e.event, MarketEvent)), None)


def _trade(at: int, trade: Trade) -> list[float]:
    side = 1 if trade.aggressor_side is Side.BUY else -1
    return [at, trade.price, trade.size, side, trade.ts_event // 1_000_000]


def _flat(levels: Iterable[tuple[float, float]]) -> list[float]:
    return [number for level in levels for number in level]
