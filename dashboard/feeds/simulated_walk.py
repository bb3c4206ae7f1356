"""The random walks of the simulated market: of a price, and of an open interest. Pure."""

import math
import random

from dashboard.core.market_quote import DAY_NS
from dashboard.core.model import Side
from dashboard.feeds.simulated_listings import SimulatedListing

MAX_STEP = 0.0014
"""Largest relative step of a walk; from a bid to an ask, rounded, a price stays within 0.2 %."""
VOLATILITY = 0.0004
"""Standard deviation of the relative change over one second."""
REVERSION = 0.002
"""Share of the distance to the starting price that a walk makes up for per second."""
INTEREST_VOLATILITY = 0.0002
"""Standard deviation of what an open interest changes in a second, relative to its start."""
INTEREST_REVERSION = 1e-5
"""Share of the distance to its start that an open interest makes up for per second."""


class Walk:
    """A mean-reverting random walk of one price; `number` is its place in the list.

    What is traded has a book around the walk, and its price is that of the last trade: the
    best ask where a buyer took it, the best bid where a seller did. Of these trades the market
    tells some. `best_sizes` are those of the best bid and the best ask.
    """

    def __init__(self, number: int, listing: SimulatedListing) -> None:
        self.number = number
        self.listing = listing
        self.instrument = listing.instrument
        self.interest = InterestWalk(listing.open_interest) if listing.open_interest else None
        self.aggressor = Side.BUY
        self.best_sizes = (0.0, 0.0)
        self._value = listing.start
        self._decimals = listing.instrument.decimals
        self._traded = listing.book or listing.trades

    @property
    def mid(self) -> float:
        """Give where the walk is, rounded to the tick."""
        return round(self._value, self._decimals)

    @property
    def price(self) -> float:
        """Give the price of the last trade."""
        if not self._traded:
            return self.mid
        return self.level(Side.SELL if self.aggressor is Side.BUY else Side.BUY, 0)

    @property
    def spacing(self) -> float:
        """Give the distance between two book levels: about a hundred-thousandth of the price."""
        tick = self.instrument.tick_size
        return max(tick, round(self._value * 1e-5 / tick) * tick)

    def step(self, rng: random.Random, elapsed_s: float) -> float:
        """Move the price by one step of at most 0.2 %, by a trade where it is traded; give it."""
        pull = REVERSION * elapsed_s * (self.listing.start / self._value - 1)
        change = pull + rng.gauss(0.0, VOLATILITY) * math.sqrt(elapsed_s)
        self._value *= 1 + max(-MAX_STEP, min(MAX_STEP, change))
        if self._traded:
            self.aggressor = Side.BUY if rng.random() < 0.5 else Side.SELL
        return self.price

    def level(self, side: Side, depth: int) -> float:
        """Give the price of a book level; depth 0 is the best one of its side."""
        distance = self.spacing * (depth + 1)
        value = self.mid - distance if side is Side.BUY else self.mid + distance
        return round(value, self._decimals)


class InterestWalk:
    """A mean-reverting random walk of one open interest, in whole lots.

    `previous` is what was open at the end of the day before; the day is UTC's.
    """

    def __init__(self, start: int) -> None:
        self.open = start
        self.previous = start
        self._start = start
        self._day: int | None = None

    def step(self, rng: random.Random, elapsed_s: float, now: int) -> None:
        """Open or close some lots; with the first step of a day `previous` is what was open."""
        day = now // DAY_NS
        if self._day is None or day > self._day:
            self.previous = self.open
            self._day = day
        pull = INTEREST_REVERSION * elapsed_s * (self._start - self.open)
        change = pull + self._start * rng.gauss(0.0, INTEREST_VOLATILITY) * math.sqrt(elapsed_s)
        self.open = max(0, self.open + round(change))
