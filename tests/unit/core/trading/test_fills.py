import pytest

from dashboard.core.trading.fills import find_bounds, find_fill
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
