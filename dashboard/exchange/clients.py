"""How the clients of the demonstration exchange trade.

Each looks at one instrument when it is its turn and says what it wants. All
prices are in ticks, and times in seconds of one clock.
"""

import math
import random
from collections.abc import Sequence
from typing import Protocol

import msgspec

from dashboard.exchange.listings import TradedListing
from dashboard.exchange.matching import LimitOrderBook, OrderSide


class New(msgspec.Struct, frozen=True):
    """A limit order; what is not traded at once waits in the book only if it `rests`."""

    side: OrderSide
    ticks: int
    volume: int
    rests: bool = False


class Cancel(msgspec.Struct, frozen=True):
    """The wish to take an own order out of the book."""

    order_id: int


Request = New | Cancel


class Situation(msgspec.Struct, frozen=True):
    """What a client knows of an instrument at its turn; `fair` is the theoretical price."""

    listing: TradedListing
    book: LimitOrderBook
    fair: float
    position: int
    now_s: float

    @property
    def share(self) -> float:
        """Give the position as a share of its limit, signed."""
        return self.position / self.listing.absolute_limit


class Client(Protocol):
    """A named client; `weight` is how often it has a turn, against the others."""

    name: str
    weight: float

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Give what it wants now, in the order to do it."""
        ...


class MarketMaker:
    """Quote both sides around the fair price, lower with a long position, higher with a short."""

    LEVELS = 6
    SKEW = 12.0
    """Steps by which a position at its limit moves the quotes."""

    def __init__(self, name: str, *, weight: float, half_spread: float, spacing: int) -> None:
        self.name = name
        self.weight = weight
        self._half_spread = half_spread
        self._spacing = spacing

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Cancel what is too near or too far, fill the gaps, else renew one quote."""
        own = situation.book.open_orders(self.name)
        requests: list[Request] = []
        for side in OrderSide:
            wanted = self._levels(situation, side)
            lowest, highest = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
            kept: set[int] = set()
            for place in own:
                if place.side is not side:
                    continue
                if lowest <= place.ticks <= highest and place.ticks not in kept:
                    kept.add(place.ticks)
                else:
                    requests.append(Cancel(place.order_id))
            room = self.LEVELS - len(kept)
            if room > 0:
                limit = situation.book.best(side.other)
                missing = [
                    ticks
                    for ticks in wanted
                    if ticks not in kept and (limit is None or (limit - ticks) * side.sign > 0)
                ]
                requests += [self._quote(situation, side, ticks, rng) for ticks in missing[:room]]
        if not requests and own:
            place = rng.choice(own)
            renewed = self._quote(situation, place.side, place.ticks, rng)
            requests = [Cancel(place.order_id), renewed]
        return requests

    def _levels(self, situation: Situation, side: OrderSide) -> range:
        """Give the prices to quote at, best first."""
        step = situation.listing.step
        middle = situation.fair - situation.share * self.SKEW * step
        best = middle - side.sign * self._half_spread * step
        inner = math.floor(best / step) if side is OrderSide.BUY else math.ceil(best / step)
        spacing = -side.sign * self._spacing * step
        return range(inner * step, inner * step + self.LEVELS * spacing, spacing)

    def _quote(self, situation: Situation, side: OrderSide, ticks: int, rng: random.Random) -> New:
        depth = abs(situation.fair - ticks) / situation.listing.step
        lots = rng.randint(1, 4) + round(depth / 2)
        return New(side, ticks, lots * situation.listing.lot, rests=True)


class Arbitrageur:
    """Take quotes that are better than the fair price."""

    def __init__(self, name: str, *, weight: float) -> None:
        self.name = name
        self.weight = weight

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Take the best price of a side where it pays, the more gladly the less it owns."""
        listing, book = situation.listing, situation.book
        for side in OrderSide:
            price = book.best(side.other)
            if price is None:
                continue
            gain = (situation.fair - price) * side.sign / listing.step
            if gain > 0.5 + 6 * max(0.0, situation.share * side.sign):
                volume = min(book.best_volume(side.other), rng.randint(2, 6) * listing.lot)
                return [New(side, price, volume)]
        return []


class NoiseTrader:
    """Buy and sell without a plan, in small orders, now and then leaving one in the book."""

    WAITING = 3
    """Orders that it leaves in a book at most."""

    def __init__(self, name: str, *, weight: float) -> None:
        self.name = name
        self.weight = weight

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Take the best price, or join it; a position makes the way back more likely."""
        listing, book = situation.listing, situation.book
        side = OrderSide.BUY if rng.random() < 0.5 - situation.share else OrderSide.SELL
        volume = rng.randint(1, 4) * listing.lot
        if rng.random() < 0.6:
            price = book.best(side.other)
            return [] if price is None else [New(side, price, volume)]
        price = book.best(side)
        if price is None:
            return []
        waiting = book.open_orders(self.name)
        surplus = waiting[: max(0, len(waiting) + 1 - self.WAITING)]
        away = rng.randint(0, 3) * listing.step * side.sign
        return [
            *(Cancel(place.order_id) for place in surplus),
            New(side, price - away, volume, rests=True),
        ]


class TrendFollower:
    """Own more of what has risen for some seconds, and less of what has fallen."""

    LOOK_BACK_S = 8.0
    FULL_TREND = 25.0
    """Steps of change since the last look at which it wants its whole limit."""

    def __init__(self, name: str, *, weight: float) -> None:
        self.name = name
        self.weight = weight
        self._looks: dict[str, tuple[float, float]] = {}
        self._targets: dict[str, float] = {}

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Look at the trend from time to time; in between trade towards the wanted position."""
        listing = situation.listing
        looked_s, then = self._looks.setdefault(listing.name, (situation.now_s, situation.fair))
        if not 0 <= situation.now_s - looked_s < self.LOOK_BACK_S:
            trend = (situation.fair - then) / listing.step / self.FULL_TREND
            self._targets[listing.name] = max(-1.0, min(1.0, trend)) * listing.absolute_limit
            self._looks[listing.name] = situation.now_s, situation.fair
        return towards(self._targets.get(listing.name, 0.0), situation, rng.randint(1, 4))


class Institution:
    """Work large orders slowly; some are larger than the limit allows."""

    SLICE_S = 0.7
    BREAK_S = 45.0
    """How long a position is kept before the next large order."""
    LARGEST = 1.25
    """The largest position wanted, as a share of its limit."""

    def __init__(self, name: str, *, weight: float) -> None:
        self.name = name
        self.weight = weight
        self._plans: dict[str, tuple[float, float]] = {}

    def decide(self, situation: Situation, rng: random.Random) -> Sequence[Request]:
        """Trade one slice towards the wanted position, or wait for the next one's time."""
        listing, now_s = situation.listing, situation.now_s
        target, next_s = self._plans.get(listing.name) or (self._target(listing, rng), now_s)
        if 0 < next_s - now_s <= self.BREAK_S:
            return []
        requests = towards(target, situation, rng.randint(2, 6))
        if requests:
            self._plans[listing.name] = target, now_s + self.SLICE_S
        else:
            self._plans[listing.name] = self._target(listing, rng), now_s + self.BREAK_S
        return requests

    def _target(self, listing: TradedListing, rng: random.Random) -> float:
        return rng.uniform(-self.LARGEST, self.LARGEST) * listing.absolute_limit


def towards(target: float, situation: Situation, lots: int) -> Sequence[Request]:
    """Take the best price with at most these lots if the target is at least one lot away."""
    missing = int(abs(target - situation.position) / situation.listing.lot)
    side = OrderSide.BUY if target > situation.position else OrderSide.SELL
    price = situation.book.best(side.other)
    if not missing or price is None:
        return []
    return [New(side, price, min(lots, missing) * situation.listing.lot)]


def make_clients() -> tuple[Client, ...]:
    """Give the clients of the demonstration exchange, as they are before they trade."""
    return (
        MarketMaker("Aurora", weight=5, half_spread=1.0, spacing=1),
        MarketMaker("Birch", weight=4, half_spread=1.6, spacing=2),
        MarketMaker("Cobalt", weight=3, half_spread=2.5, spacing=3),
        Arbitrageur("Delta", weight=1.5),
        NoiseTrader("Ember", weight=1.2),
        NoiseTrader("Fjord", weight=0.8),
        TrendFollower("Garnet", weight=0.8),
        Institution("Harbour", weight=0.7),
    )
