import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument
from dashboard.core.limits import SEVERITY, Exposure, Level, Usage, expose, total
from dashboard.core.model import Positions
from tests.unit.accounts import INSTRUMENTS, positions
from tests.unit.fake_feeds import directory_of

DIRECTORY = directory_of(*INSTRUMENTS)
AMOUNTS = st.integers(-1000, 1000)


@pytest.mark.parametrize(
    ("amount", "limit", "level", "share"),
    [
        (0, 100, Level.WITHIN, 0),
        (79, 100, Level.WITHIN, 0.79),
        (80, 100, Level.NEAR, 0.8),
        (-80, 100, Level.NEAR, 0.8),
        (28, 35, Level.NEAR, 0.8),
        (100, 100, Level.NEAR, 1),
        (-100.5, 100, Level.OVER, 1.005),
        (0, 0, Level.WITHIN, 0),
        (-1, 0, Level.OVER, math.inf),
        (1_000_000, None, Level.UNLIMITED, None),
        (1e308, 1.7e308, Level.WITHIN, 1e308 / 1.7e308),
        (1.5e308, 1.7e308, Level.NEAR, 1.5e308 / 1.7e308),
        (-1e308, 1e307, Level.OVER, 10),
        (1e308, 5e-324, Level.OVER, math.inf),
    ],
)
def test_level_and_share(
    amount: float, limit: float | None, level: Level, share: float | None
) -> None:
    usage = Usage(amount=amount, limit=limit)
    assert usage.level is level
    assert usage.share == share


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_a_limit_holds_either_way_and_more_is_never_better(amount: float, limit: float) -> None:
    usage = Usage(amount=amount, limit=limit)
    assert Usage(amount=-amount, limit=limit).level is usage.level
    larger = Usage(amount=amount * 2, limit=limit)
    assert SEVERITY[larger.level] >= SEVERITY[usage.level]
    assert (usage.level is Level.OVER) == (abs(amount) > limit)


def test_delta_sums_what_has_one_underlying() -> None:
    long, short, free, unknown = expose(
        [positions(AAPL=90, AAPL_DUAL=-30, FREE=7, OTHER=-5)], DIRECTORY
    )
    assert long == Exposure(
        exchange="REDIS",
        client="Ann",
        symbol="AAPL",
        position=Usage(amount=90, limit=100),
        underlying="AAPL_STOCK",
        delta=Usage(amount=60, limit=50),
    )
    assert long.position.level is Level.NEAR
    assert long.level is Level.OVER
    assert long.share == 1.2
    assert short.position.level is Level.WITHIN
    assert short.delta == long.delta
    assert free.position.level is Level.UNLIMITED
    assert free.underlying is None
    assert free.delta is None
    assert unknown.position == Usage(amount=-5, limit=None)
    assert unknown.level is Level.UNLIMITED
    assert unknown.share == 0


def test_clients_do_not_offset_each_other() -> None:
    found = expose([positions("Ann", AAPL=60), positions("Bob", AAPL=-60)], DIRECTORY)
    assert [each.delta and each.delta.amount for each in found] == [60, -60]
    assert [each.level for each in found] == [Level.OVER, Level.OVER]


def test_the_own_exchange_counts_before_another_with_the_symbol() -> None:
    others = [
        Instrument(symbol="AAPL", exchange="STOCK", tick_size=1, absolute_limit=1),
        Instrument(symbol="AAPL", exchange="REDIS", tick_size=1, absolute_limit=2),
    ]
    redis, elsewhere = expose(
        [positions(AAPL=1), positions("Bob", exchange="NONE", AAPL=1)], directory_of(*others)
    )
    assert redis.position.limit == 2
    assert elsewhere.position.limit == 1


@given(st.dictionaries(st.sampled_from(["AAPL", "AAPL_DUAL", "FREE", "OTHER"]), AMOUNTS))
def test_every_position_is_there_once_and_deltas_add_up(amounts: dict[str, int]) -> None:
    account = Positions(client="Ann", exchange="REDIS", positions=amounts, ts_event=0)
    found = expose([account], DIRECTORY)
    assert {each.symbol: each.position.amount for each in found} == amounts
    total = amounts.get("AAPL", 0) + amounts.get("AAPL_DUAL", 0)
    for each in found:
        assert (each.delta is not None) == (each.underlying is not None)
        if each.delta is not None:
            assert each.delta.amount == total


@pytest.mark.parametrize(
    ("amounts", "summed"),
    [
        ([1e308, 1e308, -1e308, -1e308], 0.0),
        ([1e308, 1e308, -1e308], 1e308),
        ([1e308] * 3, sys.float_info.max),
        ([-1.7e308] * 2, -sys.float_info.max),
        ([0.1] * 10, 1.0),
        ([], 0.0),
    ],
)
def test_total_is_exact_and_never_infinite(amounts: list[float], summed: float) -> None:
    assert total(amounts) == summed


def test_the_largest_positions_have_a_delta() -> None:
    (first, *_) = expose([positions(AAPL=1e308, AAPL_DUAL=1e308)], DIRECTORY)
    assert first.delta == Usage(amount=sys.float_info.max, limit=50)
    (first, *_) = expose([positions(AAPL=1e308, AAPL_DUAL=-1e308)], DIRECTORY)
    assert first.delta == Usage(amount=0, limit=50)
