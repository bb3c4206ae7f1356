"""The simulated market: pure, reproducible, time passed in.

One random walk per symbol drives its price, its book and its trades, so the
three agree: a buyer pays the best ask, a seller gets the best bid, and the price
is that of the last trade. With each price of what has a book comes its quote: the
book itself comes less often.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.model import (
    Book,
    Event,
    OpenInterest,
    Price,
    PriceLevel,
    Quote,
    Side,
    System,
    Trade,
)
from dashboard.feeds.simulated_listings import (
    LISTINGS,
    ON_DEMAND,
    SimulatedListing,
    generate_listings,
    generate_on_demand,
)
from dashboard.feeds.simulated_walk import InterestWalk, Walk

NS_PER_MS = 1_000_000

MAX_LOTS = 50
"""Most lots in a book level or in a trade."""
INTEREST_MS = 1000
LOAD_SLOTS = 10
"""Generated symbols tick at 10 Hz, a tenth of them every 10 ms."""
CATCH_UP_NS = 200 * NS_PER_MS
"""After a longer stall, missed ticks are left out instead of made up for in a burst."""


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

    def events(self, now: int, ts_event: int) -> Iterator[Event]:
        """Make what is due at `now`, and stamp it."""
        late_ns = now - self.due_ns
        if late_ns > CATCH_UP_NS or late_ns < -self._period_ns:  # or the clock was set back
            self.due_ns = now
        while self.due_ns <= now:
            yield from self._make(ts_event, self._period_ns / 1e9)
            self.due_ns += self._period_ns


class Segment:
    """Instruments that share one source of chance, and the events they make.

    They rest until they are activated; what is active makes its events in the order in
    which it is listed.
    """

    def __init__(self, listings: Iterable[SimulatedListing], rng: random.Random) -> None:
        self._rng = rng
        self._listed = {
            listing.instrument.key: (number, listing) for number, listing in enumerate(listings)
        }
        self._walks: dict[InstrumentKey, Walk] = {}
        """Those that were active once: a walk that rests goes on where it was."""
        self._priced: list[Walk] = []
        self._loaded: list[Walk] = []
        self._booked: list[Walk] = []
        self._traded: list[Walk] = []
        self._open: list[Walk] = []
        self._active: set[InstrumentKey] = set()
        self._load_slot = 0

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Give every instrument of this segment."""
        return tuple(listing.instrument for _, listing in self._listed.values())

    def __contains__(self, key: InstrumentKey) -> bool:
        return key in self._listed

    def activate(self, keys: Iterable[InstrumentKey]) -> list[InstrumentKey]:
        """Let instruments of this segment make events; give those that rested before."""
        began = [key for key in dict.fromkeys(keys) if key not in self._active]
        for key in began:
            walk = self._walks.get(key)
            if walk is None:
                walk = self._walks[key] = Walk(*self._listed[key])
            for active in self._lists(walk):
                insort(active, walk, key=_number)
        self._active.update(began)
        return began

    def rest(self, keys: Iterable[InstrumentKey]) -> None:
        """Let instruments of this segment rest where they are."""
        ended = self._active.intersection(keys)
        for key in ended:
            walk = self._walks[key]
            for active in self._lists(walk):
                del active[bisect_left(active, walk.number, key=_number)]
        self._active -= ended

    def first(self, keys: Iterable[InstrumentKey], now: int) -> Iterator[Event]:
        """Make what there is to know of instruments at once, without waiting for their streams."""
        for key in keys:
            walk = self._walks[key]
            yield from self._step(walk, now, 0.0)
            if walk.listing.book:
                yield self._book(walk, now)
            if walk.interest is not None:
                yield _open_interest(walk, walk.interest, now)

    def prices(self, now: int, elapsed_s: float) -> list[Event]:
        """Move every walk but the generated ones."""
        return [event for walk in self._priced for event in self._step(walk, now, elapsed_s)]

    def load(self, now: int, _elapsed_s: float) -> list[Event]:
        """Move the next tenth of the generated ones."""
        slot = self._load_slot
        self._load_slot = (slot + 1) % LOAD_SLOTS
        walks = self._loaded[slot::LOAD_SLOTS]
        return [event for walk in walks for event in self._step(walk, now, 0.1)]

    def books(self, now: int, _elapsed_s: float) -> list[Event]:
        """Make the book of each that has one."""
        return [self._book(walk, now) for walk in self._booked]

    def trades(self, now: int, _elapsed_s: float) -> list[Event]:
        """Make a trade in one of those that are traded."""
        if not self._traded:
            return []
        walk = self._rng.choice(self._traded)
        return [
            Trade(
                symbol=walk.instrument.symbol,
                exchange=walk.instrument.exchange,
                price=walk.price,
                size=self._size(walk.listing.lot, 0.01, 5.0),
                aggressor_side=walk.aggressor,
                priced=True,
                ts_event=now,
            )
        ]

    def open_interests(self, now: int, elapsed_s: float) -> list[Event]:
        """Move the open interest of each derivative."""
        events: list[Event] = []
        for walk in self._open:
            if walk.interest is not None:
                walk.interest.step(self._rng, elapsed_s, now)
                events.append(_open_interest(walk, walk.interest, now))
        return events

    def _lists(self, walk: Walk) -> list[list[Walk]]:
        """Give the lists of active walks in which this one has its place."""
        listing = walk.listing
        lists = [self._loaded if listing.load else self._priced]
        if listing.book:
            lists.append(self._booked)
        if listing.trades:
            lists.append(self._traded)
        if walk.interest is not None:
            lists.append(self._open)
        return lists

    def _step(self, walk: Walk, now: int, elapsed_s: float) -> Iterator[Quote | Price]:
        """Move a walk; give its quote, where it has a book, and its price of this moment."""
        price = walk.step(self._rng, elapsed_s)
        if walk.listing.book:
            yield self._quote(walk, now)
        yield Price(
            symbol=walk.instrument.symbol,
            exchange=walk.instrument.exchange,
            price=price,
            volume=self._rng.randint(100, 10_000) if walk.listing.volume else 0,
            ts_event=now,
        )

    def _quote(self, walk: Walk, now: int) -> Quote:
        lot = walk.listing.lot
        walk.best_sizes = (self._size(lot, 0.1, 10.0), self._size(lot, 0.1, 10.0))
        bid_size, ask_size = walk.best_sizes
        return Quote(
            symbol=walk.instrument.symbol,
            exchange=walk.instrument.exchange,
            bid_price=walk.level(Side.BUY, 0),
            bid_size=bid_size,
            ask_price=walk.level(Side.SELL, 0),
            ask_size=ask_size,
            ts_event=now,
        )

    def _book(self, walk: Walk, now: int) -> Book:
        return Book(
            symbol=walk.instrument.symbol,
            exchange=walk.instrument.exchange,
            bids=self._levels(walk, Side.BUY, walk.best_sizes[0]),
            asks=self._levels(walk, Side.SELL, walk.best_sizes[1]),
            ts_event=now,
        )

    def _levels(self, walk: Walk, side: Side, best_size: float) -> tuple[PriceLevel, ...]:
        """Give a side of a book; its best level is that of the last quote."""
        further = (
            (walk.level(side, depth), self._size(walk.listing.lot, 0.1, 10.0))
            for depth in range(1, walk.listing.levels)
        )
        return ((walk.level(side, 0), best_size), *further)

    def _size(self, lot: int | None, least: float, most: float) -> float:
        """Draw a size in these bounds, or in whole lots."""
        if lot is None:
            return round(self._rng.uniform(least, most), 3)
        return lot * self._rng.randint(1, MAX_LOTS)


class SimulatedMarket:
    """All streams of the market.

    With the same seed and the same sequence of times and calls, the events are
    the same. `symbols` counts the instruments: the five of `LISTINGS` first,
    then generated ones that tick at 10 Hz whatever the interval is. Those of
    `ON_DEMAND`, and `listed` generated ones, come on top and rest until they are
    activated; they have a source of chance of their own, so the others move alike
    whoever asks for them.
    """

    def __init__(
        self,
        *,
        interval_ms: int,
        now: int,
        seed: int | None = None,
        symbols: int | None = None,
        listed: int = 0,
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a market that can be repeated, no secret
        own = None if seed is None else f"{seed} on demand"
        count = len(LISTINGS) if symbols is None else symbols
        listings = (*LISTINGS, *generate_listings(count - len(LISTINGS)))[:count]
        self._standing = standing = Segment(listings, self._rng)
        resting = (*ON_DEMAND, *generate_on_demand(max(0, count - len(LISTINGS)), listed))
        self._on_demand = on_demand = Segment(resting, random.Random(own))  # noqa: S311 - likewise
        self._made = 0
        self._streams = [
            Stream(standing.prices, share=1, floor_ms=10, now=now),
            Stream(standing.books, share=2, floor_ms=50, now=now),
            Stream(standing.trades, share=3, floor_ms=50, now=now),
        ]
        if count > len(LISTINGS):
            self._streams.append(Stream(standing.load, share=0, floor_ms=100 / LOAD_SLOTS, now=now))
        if seed is not None:
            self._streams.append(Stream(self._system, share=0, floor_ms=1000, now=now))
        self._streams += [
            Stream(on_demand.prices, share=1, floor_ms=10, now=now),
            Stream(on_demand.books, share=2, floor_ms=50, now=now),
            Stream(on_demand.trades, share=3, floor_ms=50, now=now),
            Stream(on_demand.open_interests, share=0, floor_ms=INTEREST_MS, now=now),
        ]
        self.set_interval(interval_ms, now)
        self.instruments = standing.instruments
        """Those that are active at first."""
        self.on_demand = on_demand.instruments
        """Those that rest at first."""
        standing.activate(each.key for each in self.instruments)

    @property
    def next_due(self) -> int:
        """Give the time in ns at which the next stream is due."""
        return min(stream.due_ns for stream in self._streams)

    def __contains__(self, key: InstrumentKey) -> bool:
        return key in self._standing or key in self._on_demand

    def activate(self, keys: Sequence[InstrumentKey], ts_event: int) -> list[Event]:
        """Let instruments make events; give the first ones of those that rested.

        Raises:
            KeyError: when the market does not have one.
        """
        events: list[Event] = []
        for segment, own in self._by_segment(keys):
            events += segment.first(segment.activate(own), ts_event)
        self._made += len(events)
        return events

    def rest(self, keys: Sequence[InstrumentKey]) -> None:
        """Let instruments rest where they are; others than the market's are left out."""
        for segment, own in self._by_segment(keys):
            segment.rest(own)

    def _by_segment(
        self, keys: Sequence[InstrumentKey]
    ) -> Iterator[tuple[Segment, list[InstrumentKey]]]:
        yield self._standing, [key for key in keys if key in self._standing]
        yield self._on_demand, [key for key in keys if key not in self._standing]

    def set_interval(self, interval_ms: int, now: int) -> None:
        """Change the interval of every stream that follows it, from now on."""
        for stream in self._streams:
            stream.set_interval(interval_ms, now)

    def due(self, now: int, *, ts_event: int | None = None) -> list[Event]:
        """Make the events of every stream that is due at `now`, at the time `ts_event`.

        `now` is of the clock that all other times here are of; without `ts_event` it
        is the time of the events, too.
        """
        stamp = now if ts_event is None else ts_event
        events = [event for stream in self._streams for event in stream.events(now, stamp)]
        self._made += len(events)
        return events

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


def _number(walk: Walk) -> int:
    return walk.number


def _open_interest(walk: Walk, interest: InterestWalk, now: int) -> OpenInterest:
    lot = walk.listing.lot or 1
    return OpenInterest(
        symbol=walk.instrument.symbol,
        exchange=walk.instrument.exchange,
        quantity=lot * interest.open,
        previous_quantity=lot * interest.previous,
        ts_event=now,
    )
