"""An order book that is built from snapshots and deltas: pure, one instrument."""

from bisect import bisect_left, insort
from collections.abc import Iterable

from dashboard.core.model import PriceLevel


class OrderBook:
    """Hold one instrument's levels. Prices are finite, sizes are, too, and not negative.

    A book is never crossed or locked: after each change the best bid is below
    the best ask. Where a delta would cross the book, the levels that it names
    are the newer truth, so the older ones they cross are dropped; where a
    change is crossed in itself, both crossing levels are dropped. `crossed`
    counts what was dropped and only rises, so nothing vanishes in silence.
    """

    def __init__(self) -> None:
        self.crossed = 0
        self._bids = _Ladder(best=1)
        self._asks = _Ladder(best=-1)

    def apply_snapshot(self, bids: Iterable[PriceLevel], asks: Iterable[PriceLevel]) -> None:
        """Replace the whole book; the order of the levels does not matter, size 0 is no level."""
        self._bids = _Ladder(best=1)
        self._asks = _Ladder(best=-1)
        self.apply_delta(bids, asks)

    def apply_delta(self, bids: Iterable[PriceLevel], asks: Iterable[PriceLevel]) -> None:
        """Set each level to its new size; 0 removes it, and removing a missing one is no error.

        All changes of one call belong together: only their outcome is checked
        for crossing.
        """
        new_bids = dict(bids)
        new_asks = dict(asks)
        self._bids.update(new_bids)
        self._asks.update(new_asks)
        while self._is_crossed():
            bid, ask = self._bids.best, self._asks.best
            if bid not in new_bids or ask in new_asks:
                self._bids.set(bid, 0.0)
                self.crossed += 1
            if ask not in new_asks or bid in new_bids:
                self._asks.set(ask, 0.0)
                self.crossed += 1

    def levels(self, depth: int) -> tuple[tuple[PriceLevel, ...], tuple[PriceLevel, ...]]:
        """Give the best `depth` levels of bids and asks, each side best first."""
        return self._bids.top(depth), self._asks.top(depth)

    @property
    def depth(self) -> tuple[int, int]:
        """Count the levels of bids and of asks."""
        return len(self._bids), len(self._asks)

    def _is_crossed(self) -> bool:
        return bool(self._bids and self._asks) and self._bids.best >= self._asks.best


class _Ladder:
    """One side: sizes by price, and the prices sorted with the best one last.

    Most changes are near the best price, so the end of a list is the cheap
    place for them. `best` is 1 where the highest price is best, -1 where the
    lowest is.
    """

    def __init__(self, *, best: int) -> None:
        self._sign = best
        self._sizes: dict[float, float] = {}
        self._keys: list[float] = []

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> float:
        return self._keys[-1] * self._sign

    def update(self, levels: dict[float, float]) -> None:
        if self._sizes:
            for price, size in levels.items():
                self.set(price, size)
        else:
            self._sizes = {price: size for price, size in levels.items() if size}
            self._keys = sorted(price * self._sign for price in self._sizes)

    def set(self, price: float, size: float) -> None:
        key = price * self._sign
        if size:
            if price not in self._sizes:
                insort(self._keys, key)
            self._sizes[price] = size
        elif self._sizes.pop(price, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def top(self, depth: int) -> tuple[PriceLevel, ...]:
        sizes = self._sizes
        prices = [key * self._sign for key in self._keys[: -depth - 1 : -1]]
        return tuple([(price, sizes[price]) for price in prices])
