"""What one push to a page carries: a compact dict, built from the events since the last push.

Keys are short because a page gets one of these every display frame. A row's columns stand in
`ui.columns`; `rows` are lists of them:

| key | value |
|---|---|
| `g`, `n` | generation of the stream (random, new on every connect), number of the push in it |
| `t` | server clock at sending, ms since the Unix epoch |
| `k` | how often the phase was shifted so far, see `core.pacing` |
| `c` | events that this push stands for, of whatever instrument, control and system included |
| `l` | `Losses`: conflated and lost events of this page so far |
| `h` | `Hops`: source to hub, hub to sent, in ms, of the newest market event since the last push |
| `p` | prices, flat and in order: number of the instrument, price, number, price, ... |
| `x` | mids in the same form, of instruments that have not traded: no other one's are sent |
| `u` | to a page that was hidden: how long before `t` each price of `p`, then of `x` came, in ms |
| `r` | `TradeRow` rows |
| `b` | `BookRow`: the book of the chosen instrument |
| `y` | `Load` of the serving process |
| `v` | number of the description that the numbers of the instruments refer to |
| `d` | what changes rarely, also once a second: instruments, choice, interval (see `ui.tab`) |
| `f` | feeds, once a second, see below |
| `e` | `Echo` of the page's clock for the offset estimate |
| `i` | when the page asks: `Found`, a part of the instruments that match a text |
| `s` | 1 in the pushes that a stream begins with, until the page answers that it took one |

The page of the clients' PnL gets `j`, its `CurvesPart`, once a second.

A page about one instrument has its chosen one in detail:

| key | value |
|---|---|
| `q` | `QuoteRow` rows |
| `o` | `PriceRow` rows: the theoretical prices of its underlying |
| `z` | `PriceRow` rows: its last prices, where its feed sends no quotes |
| `m` | `Counts`: its events in this push, before any was conflated |
| `w` | `Past`: the last minute, instead of all that the page has of it |
| `a` | `BarsPart`: the new and changed bars, or all; see `ui.closeup` |

Only `g n t k v c l` are always there. A feed has name, state, last_event_age_s, last_event_ms,
events, gaps, skipped and silences (times after which nothing was known). One that is a replay has
position_s, duration_s, speed, paused, note (what is wrong with the recording), began_ms and
stretches (`StretchRow` rows) too. `f` comes at once when a feed changes how it stands or plays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dashboard.core.clocks import CLOCK_SET_NS
from dashboard.core.instruments import Instrument, InstrumentKey, Sent
from dashboard.core.model import (
    Book,
    Kind,
    MarketEvent,
    Price,
    PriceBasis,
    Published,
    Quote,
    Side,
    System,
    Theo,
    Topic,
    Trade,
)
from dashboard.ui.columns import (
    BookRow,
    Counts,
    Hops,
    Load,
    NamedTradeRow,
    Past,
    PriceRow,
    QuoteRow,
    TradeRow,
)

NS_PER_MS = 1_000_000
MAX_PAST_TRADES = 1000
PAST_SPAN_MS = 50
"""Of the quotes before the page was opened, the last of each such span is sent; so of prices."""

LatestOf = Callable[[Topic], Published | None]
"""Gives the newest event of a topic, as the hub does."""

COUNTED = (Kind.QUOTE, Kind.BOOK, Kind.TRADE, Kind.PRICE)
"""In the order of the columns of `Counts`."""


def market_part(
    entries: Sequence[Published],
    *,
    index: Mapping[InstrumentKey, int],
    chosen: InstrumentKey | None,
    latest_of: LatestOf,
    aged_at: int | None = None,
) -> dict[str, Any]:
    """Collect the market's share of a push.

    `index` numbers the watched instruments; events of others are left out.
    Of several books of the chosen one the newest counts. A mid is left out where
    `latest_of` gives a trade. `aged_at` is the time of sending, by the monotonic clock,
    where the prices are to be told with their ages.
    """
    part: dict[str, Any] = {}
    prices: list[float] = []
    priced: list[Published] = []
    mids: list[tuple[int, Published]] = []
    trades: list[TradeRow] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, MarketEvent):
            key = (event.exchange, event.symbol)
            if (at := index.get(key)) is None:
                continue
            if isinstance(event, Price):
                if event.basis is PriceBasis.LAST:
                    prices += (at, event.price)
                    priced.append(entry)
                else:
                    mids.append((at, entry))
            elif isinstance(event, Trade) and not event.historical:
                trades.append(_trade(at, event))
            elif isinstance(event, Book) and key == chosen:
                part["b"] = _book(at, event)
        elif isinstance(event, System):
            part["y"] = Load(event.cpu_pct, event.mem_mb, event.msg_rate)
    mids = [(at, each) for at, each in mids if not is_outdone(each, latest_of)]
    ages: list[int] = []
    if aged_at is not None:
        priced += (entry for _, entry in mids)
        ages = [(aged_at - each.monotonic_ns) // NS_PER_MS for each in priced]
    rows = (("p", prices), ("x", _flat_prices(mids)), ("u", ages), ("r", trades))
    return part | {key: told for key, told in rows if told}


def _flat_prices(numbered: Iterable[tuple[int, Published]]) -> list[float]:
    prices = ((at, each.event.price) for at, each in numbered if isinstance(each.event, Price))
    return [number for pair in prices for number in pair]


def is_outdone(entry: Published, latest_of: LatestOf) -> bool:
    """Tell whether an event is a mid of an instrument that has traded: nothing shows it."""
    event = entry.event
    if not isinstance(event, Price) or event.basis is PriceBasis.LAST:
        return False
    return latest_of(entry.topic._replace(kind=Kind.TRADE)) is not None


def last_traded(entry: Published, latest_of: LatestOf) -> Published:
    """Put the price of the last trade in place of a mid, where the instrument has traded."""
    event = entry.event
    if not isinstance(event, Price) or event.basis is PriceBasis.LAST:
        return entry
    last = latest_of(entry.topic._replace(kind=Kind.TRADE))
    if last is None or not isinstance(trade := last.event, Trade):
        return entry
    price = Price(
        symbol=trade.symbol,
        exchange=trade.exchange,
        price=trade.price,
        volume=trade.size,
        ts_event=trade.ts_event,
    )
    return msgspec.structs.replace(last, event=price, topic=entry.topic)


def hops(newest: Published, *, now: int) -> Hops | None:
    """Measure the way of a market event; `now` is the time of sending, by the monotonic clock."""
    if not isinstance(newest.event, MarketEvent):
        return None
    to_hub_ns = newest.ts_received - newest.event.ts_event
    to_sent_ns = now - newest.monotonic_ns
    return Hops(round(to_hub_ns / NS_PER_MS, 2), round(to_sent_ns / NS_PER_MS, 2))


def detail_part(
    entries: Iterable[Published], instrument: Instrument, latest_of: LatestOf
) -> dict[str, Any]:
    """Collect what a page about one instrument is told beside that: `q`, `o` and `z`."""
    key = instrument.key
    quotes: list[QuoteRow] = []
    theos: list[PriceRow] = []
    prices: list[PriceRow] = []
    priced = draws_prices(instrument)
    for entry in entries:
        match entry.event:
            case Quote(exchange=exchange, symbol=symbol) as quote if (exchange, symbol) == key:
                quotes.append(_quote(quote))
            case Theo(exchange=exchange, underlying=underlying) as theo if (
                exchange == instrument.exchange and underlying == instrument.underlying
            ):
                theos.append(_priced(theo))
            case Price(exchange=exchange, symbol=symbol) as price if (
                priced and (exchange, symbol) == key and not is_outdone(entry, latest_of)
            ):
                prices.append(_priced(price))
            case _:
                pass
    return {name: rows for name, rows in (("q", quotes), ("o", theos), ("z", prices)) if rows}


def draws_prices(instrument: Instrument) -> bool:
    """Tell whether last prices are drawn of an instrument: where its feed sends no quotes."""
    return Sent.QUOTES not in instrument.sends


def counts(entries: Iterable[Published], key: InstrumentKey) -> Counts | None:
    """Count an instrument's events by kind, as `m` has them; None when there are none.

    A historical trade is none of them: it is in no list of trades either.
    """
    found = [0] * len(COUNTED)
    for entry in entries:
        kind, exchange, symbol = entry.topic
        if symbol == key[1] and exchange == key[0] and kind in COUNTED:
            event = entry.event
            if not (isinstance(event, Trade) and event.historical):
                found[COUNTED.index(kind)] += 1
    return Counts(*found) if any(found) else None


def past_part(entries: Iterable[Published], *, at: int, offset_ns: int = 0) -> Past:
    """Thin out an instrument's last minute to what its charts can show, as `w` has it.

    `at` is the instrument's number, `entries` are its quotes, trades and prices of either
    kind, oldest first.
    `offset_ns` is what the wall clock shows now more than the monotonic one: where it
    was set since an entry came, the entry's time is moved along.
    """
    quotes: dict[int, QuoteRow] = {}
    theos: dict[int, PriceRow] = {}
    prices: dict[int, PriceRow] = {}
    trades: list[TradeRow] = []
    for entry in entries:
        moved_ns = offset_ns - (entry.ts_received - entry.monotonic_ns)
        moved_ms = moved_ns // NS_PER_MS if abs(moved_ns) > CLOCK_SET_NS else 0
        match entry.event:
            case Quote() as quote:
                row = _quote(quote, moved_ms)
                quotes[row.time // PAST_SPAN_MS] = row
            case Theo() as theo:
                row = _priced(theo, moved_ms)
                theos[row.time // PAST_SPAN_MS] = row
            case Price() as price:
                row = _priced(price, moved_ms)
                prices[row.time // PAST_SPAN_MS] = row
            case Trade(historical=False) as trade:
                trades.append(_trade(at, trade, moved_ms))
            case _:
                pass
    drawn = (list(rows.values()) for rows in (theos, prices))
    return Past(list(quotes.values()), trades[-MAX_PAST_TRADES:], *drawn)


def _trade(at: int, trade: Trade, moved_ms: int = 0) -> TradeRow:
    side = 1 if trade.aggressor_side is Side.BUY else -1
    time = trade.ts_event // NS_PER_MS + moved_ms
    if trade.buyer is None and trade.seller is None:
        return TradeRow(at, trade.price, trade.size, side, time)
    return NamedTradeRow(at, trade.price, trade.size, side, time, trade.buyer, trade.seller)


def _book(at: int, book: Book) -> BookRow:
    return BookRow(at, _flat(book.bids), _flat(book.asks), int(book.partial))


def _quote(quote: Quote, moved_ms: int = 0) -> QuoteRow:
    time = quote.ts_event // NS_PER_MS + moved_ms
    return QuoteRow(time, quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size)


def _priced(event: Price | Theo, moved_ms: int = 0) -> PriceRow:
    return PriceRow(event.ts_event // NS_PER_MS + moved_ms, event.price)


def _flat(levels: Iterable[tuple[float, float]]) -> list[float]:
    return [number for level in levels for number in level]
