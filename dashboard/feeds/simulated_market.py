"""The simulated market: pure, reproducible, time passed in.

One random walk per symbol drives its price, its book and its trades, so the
three agree: a buyer pays the best ask, a seller gets the best bid.
"""

import math
import random
from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from dashboard.core.model import (
    Book,
    Event,
    Instrument,
    Price,
    PriceLevel,
    Side,
    System,
    Trade,
)

NS_PER_MS = 1_000_000

MAX_STEP = 0.0015
"""Largest relative step of a walk; with rounding to the tick it stays within 0.2 %."""
VOLATILITY = 0.0004
"""Standard deviation of the relative change over one second."""
REVERSION = 0.002
"""Share of the distance to the starting price that a walk makes up for per second."""

BOOK_LEVELS = 5
DEEP_BOOK_LEVELS = 30
MAX_LOTS = 50
LOAD_SLOTS = 10
"""Generated symbols tick at 10 Hz, a tenth of them every 10 ms."""
CATCH_UP_NS = 200 * NS_PER_MS
"""After a longer stall, missed ticks are left out instead of made up for in a burst."""


class Listing(msgspec.Struct, frozen=True):
    """An instrument with its starting price and the streams it has beside `price`.

    `levels` is the depth of its book; with a `lot` the sizes in it are whole lots.
    """

    instrument: Instrument
    start: float
    book: bool = False
    trades: bool = False
    load: bool = False
    levels: int = BOOK_LEVELS
    lot: int | None = None


def _listing(
    symbol: str,
    exchange: str,
    start: float,
    *,
    book: bool = False,
    trades: bool = False,
    load: bool = False,
) -> Listing:
    instrument = Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)
    return Listing(instrument, start, book, trades, load)


def _indian(symbol: str, exchange: str, start: float, *, lot: int | None = None) -> Listing:
    """List an instrument of India's exchanges; without a lot it is an index, which has no book."""
    listing = _listing(symbol, exchange, start, book=lot is not None)
    return replace(listing, levels=DEEP_BOOK_LEVELS, lot=lot)


LISTINGS = (
    _listing("BTC/USD", "CRYPTO", 45_000.0, book=True, trades=True),
    _listing("ETH/USD", "CRYPTO", 2_500.0, book=True, trades=True),
    _listing("SOL/USD", "CRYPTO", 120.0, trades=True),
    _listing("AAPL", "NASDAQ", 175.0),
    _listing("TSLA", "NASDAQ", 250.0),
)
ON_DEMAND = (
    _indian("RELIANCE", "NSE", 2_850.0, lot=1),
    _indian("TCS", "NSE", 4_150.0, lot=1),
    _indian("INFY", "NSE", 1_850.0, lot=1),
    _indian("NIFTY_50", "NSE_INDEX", 24_800.0),
    _indian("NIFTY_BANK", "NSE_INDEX", 53_500.0),
    _indian("NIFTY28DEC2425000CE", "NFO", 180.0, lot=25),
)
"""What OpenAlgo's clients ask for; they move once they are asked for."""


class Walk:
    """A mean-reverting random walk of one price."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.instrument = listing.instrument
        self._value = listing.start
        self._decimals = listing.instrument.decimals

    @property
    def price(self) -> float:
        """Give the current price, rounded to the tick."""
        return round(self._value, self._decimals)

    @property
    def spacing(self) -> float:
        """Give the distance between two book levels: about a hundred-thousandth of the price."""
        tick = self.instrument.tick_size
        return max(tick, round(self._value * 1e-5 / tick) * tick)

    def step(self, rng: random.Random, elapsed_s: float) -> float:
        """Move the price by one step of at most 0.2 % and give it."""
        pull = REVERSION * elapsed_s * (self.listing.start / self._value - 1)
        change = pull + rng.gauss(0.0, VOLATILITY) * math.sqrt(elapsed_s)
        self._value *= 1 + max(-MAX_STEP, min(MAX_STEP, change))
        return self.price

    def level(self, side: Side, depth: int) -> float:
        """Give the price of a book level; depth 0 is the best one of its side."""
        distance = self.spacing * (depth + 1)
        value = self.price - distance if side is Side.BUY else self.price + distance
        return round(value, self._decimals)


class Stream:
    """One kind of output on an absolute schedule of its own."""

    def __init__(
        self, make: Callable[[int, float], list[Event]], *, share: float, floor_ms: float, now: int
    ) -> None:
        self._make = make
        self._share = share
        self._floor_ms = floor_ms
        self._period_ns = 0
        self.due_ns = now

    def set_interval(self, interval_ms: int, now: int) -> None:
        """Set the period to its share of the interval; the next output is not later than that."""
        self._period_ns = round(max(self._share * interval_ms, self._floor_ms) * NS_PER_MS)
        self.due_ns = min(self.due_ns, now + self._period_ns)

    def events(self, now: int) -> Iterator[Event]:
        """Make what is due at `now`."""
        late_ns = now - self.due_ns
        if late_ns > CATCH_UP_NS or late_ns < -self._period_ns:  # or the clock was set back
            self.due_ns = now
        while self.due_ns <= now:
            yield from self._make(now, self._period_ns / 1e9)
            self.due_ns += self._period_ns


class SimulatedMarket:
    """All streams of the market.

    With the same seed and the same sequence of times and calls, the events are
    the same. `symbols` counts the instruments: the five of `LISTINGS` first,
    then generated ones that tick at 10 Hz whatever the interval is. Those of
    `ON_DEMAND` come on top and rest until `set_active` names them.
    """

    def __init__(
        self, *, interval_ms: int, now: int, seed: int | None = None, symbols: int | None = None
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a market that can be repeated, no secret
        count = len(LISTINGS) if symbols is None else symbols
        listings = (*LISTINGS, *_generated(count - len(LISTINGS)))[:count]
        self._walks = {listing.instrument: Walk(listing) for listing in listings}
        self._on_demand = {listing.instrument: Walk(listing) for listing in ON_DEMAND}
        self._active = list(self._walks.values())
        self._load_slot = 0
        self._made = 0
        self._streams = [
            Stream(self._prices, share=1, floor_ms=10, now=now),
            Stream(self._books, share=2, floor_ms=50, now=now),
            Stream(self._trades, share=3, floor_ms=50, now=now),
        ]
        if count > len(LISTINGS):
            self._streams.append(Stream(self._load, share=0, floor_ms=100 / LOAD_SLOTS, now=now))
        if seed is not None:
            self._streams.append(Stream(self._system, share=0, floor_ms=1000, now=now))
        self.set_interval(interval_ms, now)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Give every instrument of this market."""
        return tuple(self._walks)

    @property
    def on_demand(self) -> tuple[Instrument, ...]:
        """Give the instruments that rest at first."""
        return tuple(self._on_demand)

    @property
    def next_due(self) -> int:
        """Give the time in ns at which the next stream is due."""
        return min(stream.due_ns for stream in self._streams)

    def set_active(self, instruments: frozenset[Instrument]) -> None:
        """Let only these instruments make events; the walks of the others rest."""
        walks = (self._walks | self._on_demand).items()
        self._active = [walk for instrument, walk in walks if instrument in instruments]

    def set_interval(self, interval_ms: int, now: int) -> None:
        """Change the interval of every stream that follows it, from now on."""
        for stream in self._streams:
            stream.set_interval(interval_ms, now)

    def due(self, now: int) -> list[Event]:
        """Make the events of every stream that is due at `now`."""
        events = [event for stream in self._streams for event in stream.events(now)]
        self._made += len(events)
        return events

    def _prices(self, now: int, elapsed_s: float) -> list[Event]:
        return [self._price(walk, now, elapsed_s) for walk in self._active if not walk.listing.load]

    def _load(self, now: int, _elapsed_s: float) -> list[Event]:
        generated = [walk for walk in self._active if walk.listing.load]
        slot = self._load_slot
        self._load_slot = (slot + 1) % LOAD_SLOTS
        return [self._price(walk, now, 0.1) for walk in generated[slot::LOAD_SLOTS]]

    def _price(self, walk: Walk, now: int, elapsed_s: float) -> Price:
        return Price(
            symbol=walk.instrument.symbol,
            exchange=walk.instrument.exchange,
            price=walk.step(self._rng, elapsed_s),
            volume=self._rng.randint(100, 10_000),
            ts_event=now,
        )

    def _books(self, now: int, _elapsed_s: float) -> list[Event]:
        return [
            Book(
                symbol=walk.instrument.symbol,
                exchange=walk.instrument.exchange,
                bids=self._levels(walk, Side.BUY),
                asks=self._levels(walk, Side.SELL),
                ts_event=now,
            )
            for walk in self._active
            if walk.listing.book
        ]

    def _levels(self, walk: Walk, side: Side) -> tuple[PriceLevel, ...]:
        return tuple(
            (walk.level(side, depth), self._size(walk.listing.lot))
            for depth in range(walk.listing.levels)
        )

    def _size(self, lot: int | None) -> float:
        if lot is None:
            return round(self._rng.uniform(0.1, 10.0), 3)
        return lot * self._rng.randint(1, MAX_LOTS)

    def _trades(self, now: int, _elapsed_s: float) -> list[Event]:
        traded = [walk for walk in self._active if walk.listing.trades]
        if not traded:
            return []
        walk = self._rng.choice(traded)
        side = self._rng.choice((Side.BUY, Side.SELL))
        return [
            Trade(
                symbol=walk.instrument.symbol,
                exchange=walk.instrument.exchange,
                price=walk.level(Side.SELL if side is Side.BUY else Side.BUY, 0),
                size=round(self._rng.uniform(0.01, 5.0), 3),
                aggressor_side=side,
                ts_event=now,
            )
        ]

    def _system(self, now: int, elapsed_s: float) -> list[Event]:
        made, self._made = self._made, 0
        return [
            System(
                cpu_pct=round(self._rng.uniform(10.0, 80.0), 1),
                mem_mb=self._rng.randint(500, 2_000),
                msg_rate=round(made / elapsed_s),
                ts_event=now,
            )
        ]


def _generated(count: int) -> list[Listing]:
    return [
        _listing(f"SIM{number:04d}", "SIM", 50.0 + number * 37 % 450, load=True)
        for number in range(count)
    ]
