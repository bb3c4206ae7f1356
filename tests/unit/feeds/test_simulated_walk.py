import random

import pytest

from dashboard.core.market_quote import DAY_NS
from dashboard.feeds.simulated_listings import LISTINGS, SimulatedListing
from dashboard.feeds.simulated_walk import InterestWalk, Walk

SYMBOLS = [listing.instrument.symbol for listing in LISTINGS]


class ExtremeRandom:
    """A source of chance that always errs to one side."""

    def __init__(self, value: float) -> None:
        self.value = value

    def gauss(self, _mean: float, _deviation: float) -> float:
        return self.value

    def random(self) -> float:
        return 0.0 if self.value > 0 else 1.0


@pytest.mark.parametrize("extreme", [1e9, -1e9])
@pytest.mark.parametrize("listing", LISTINGS, ids=SYMBOLS)
def test_a_price_moves_within_its_limit_whatever_chance_says(
    listing: SimulatedListing, extreme: float
) -> None:
    walk = Walk(0, listing)
    before = walk.price
    for _ in range(300):
        price = walk.step(ExtremeRandom(extreme), 1.0)  # pyright: ignore[reportArgumentType] - a fake
        assert 0.001 < abs(price / before - 1) <= 0.002
        before = price


@pytest.mark.parametrize("listing", LISTINGS, ids=SYMBOLS)
def test_a_walk_moves_but_stays_near_its_start(listing: SimulatedListing) -> None:
    walk = Walk(0, listing)
    rng = random.Random(4)
    prices = [walk.step(rng, 1.0) for _ in range(20_000)]
    assert 0.95 * listing.start < min(prices) < 0.995 * listing.start
    assert 1.005 * listing.start < max(prices) < 1.05 * listing.start


def test_an_open_interest_is_never_negative() -> None:
    walk = InterestWalk(1000)
    for second in range(20):
        walk.step(ExtremeRandom(-1.0), 1.0, second)  # pyright: ignore[reportArgumentType] - a fake
        assert walk.open >= 0
    assert walk.open < 100


def test_a_clock_that_is_set_back_over_midnight_begins_no_day_again() -> None:
    walk, rng = InterestWalk(10_000), random.Random(4)
    previous: list[int] = []
    for now in (DAY_NS - 1, DAY_NS, DAY_NS - 5, DAY_NS + 1):
        walk.step(rng, 100.0, now)
        previous.append(walk.previous)
    assert previous[0] != previous[1] == previous[2] == previous[3]


def test_an_open_interest_moves_within_a_day_and_stays_near_its_start() -> None:
    walk, rng = InterestWalk(10_000), random.Random(4)
    seen: list[int] = []
    for second in range(86_400):
        walk.step(rng, 1.0, second * DAY_NS // 86_400)
        seen.append(walk.open)
    assert walk.previous == 10_000
    assert 7_500 < min(seen) < max(seen) < 12_500
    assert max(seen) - min(seen) > 500
