import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trading.fills import find_at_close, find_bounds, find_fill, find_inside
from dashboard.core.trading.fsm import Trigger
from dashboard.core.trading.model import Position, PositionSide
from tests.unit.core.trading.fakes import bar


def test_a_bar_bounds_prices_by_its_low_and_high() -> None:
    assert find_bounds(bar(10, low=8, high=12, bid=7, ask=13), is_tick=False) == (8, 12)


@pytest.mark.parametrize(
    ("price", "bid", "ask", "bounds"),
    [(10, 9, 11, (9, 11)), (10, 11, 12, (10, 12)), (10, 8, 9, (8, 10)), (10, 10, 10, (10, 10))],
)
def test_a_tick_bounds_prices_by_price_bid_and_ask(
    price: float, bid: float, ask: float, bounds: tuple[float, float]
) -> None:
    assert find_bounds(bar(price, bid=bid, ask=ask), is_tick=True) == bounds


@pytest.mark.parametrize(
    ("price", "buys", "fill"), [(9, True, 10), (11, True, 11), (9, False, 9), (11, False, 10)]
)
def test_in_a_bar_the_worse_of_price_and_close_is_filled(
    price: float, buys: bool, fill: float
) -> None:
    assert find_fill(price, close=10, buys=buys, is_tick=False) == fill


@pytest.mark.parametrize("buys", [True, False])
def test_in_a_tick_the_price_itself_is_filled(buys: bool) -> None:
    assert find_fill(9, close=10, buys=buys, is_tick=True) == 9


def position(side: PositionSide, stop: float | None, target: float | None) -> Position:
    return Position(
        entry_price=100.0,
        quantity=1.0,
        side=side,
        entry_timestamp=0,
        current_price=100.0,
        stop_loss=stop,
        take_profit=target,
    )


def long(stop: float | None = 95, target: float | None = 105) -> Position:
    return position(PositionSide.LONG, stop, target)


def short(stop: float | None = 105, target: float | None = 95) -> Position:
    return position(PositionSide.SHORT, stop, target)


@pytest.mark.parametrize(
    ("held", "close", "reached"),
    [
        (long(), 95, Trigger.STOP),
        (long(), 95.1, None),
        (long(), 104.9, None),
        (long(), 105, Trigger.TARGET),
        (long(stop=None), 1, None),
        (long(target=None), 999, None),
        (long(stop=101, target=99), 100, Trigger.STOP),
        (short(), 105, Trigger.STOP),
        (short(), 104.9, None),
        (short(), 95.1, None),
        (short(), 95, Trigger.TARGET),
        (short(stop=None), 999, None),
        (short(target=None), 1, None),
        (short(stop=99, target=101), 100, Trigger.STOP),
    ],
)
def test_the_close_reaches_a_stop_first_then_a_target(
    held: Position, close: float, reached: Trigger | None
) -> None:
    assert find_at_close(held, close) == reached


@pytest.mark.parametrize(
    ("held", "opens", "low", "high", "reached"),
    [
        (long(), 100, 95.1, 104.9, None),
        (long(), 100, 95, 104, (Trigger.STOP, 95)),
        (long(), 100, 96, 105, (Trigger.TARGET, 105)),
        (long(), 100, 94, 106, (Trigger.STOP, 95)),
        (long(), 93, 92, 94, (Trigger.STOP, 93)),
        (long(), 107, 106, 108, (Trigger.TARGET, 107)),
        (long(stop=None, target=None), 100, 1, 999, None),
        (short(), 100, 95.1, 104.9, None),
        (short(), 100, 96, 105, (Trigger.STOP, 105)),
        (short(), 100, 95, 104, (Trigger.TARGET, 95)),
        (short(), 100, 94, 106, (Trigger.STOP, 105)),
        (short(), 107, 106, 108, (Trigger.STOP, 107)),
        (short(), 93, 92, 94, (Trigger.TARGET, 93)),
        (short(stop=None, target=None), 100, 1, 999, None),
    ],
)
def test_inside_a_bar_a_stop_comes_first_and_a_gap_fills_at_the_open(
    held: Position, opens: float, low: float, high: float, reached: object
) -> None:
    assert find_inside(held, bar(opens, opens=opens, low=low, high=high)) == reached


@given(
    st.sampled_from(PositionSide),
    st.one_of(st.none(), st.integers(80, 120)),
    st.one_of(st.none(), st.integers(80, 120)),
    st.lists(st.integers(80, 120), min_size=3, max_size=3),
)
def test_no_stop_fills_at_a_price_that_the_bar_did_not_trade(
    side: PositionSide, stop: float | None, target: float | None, traded: list[int]
) -> None:
    low, opens, high = sorted(traded)
    reached = find_inside(position(side, stop, target), bar(opens, opens=opens, low=low, high=high))
    assert reached is None or low <= reached.price <= high
