import pytest

from dashboard.core.model import Side
from dashboard.feeds.parsing.aggressor import AggressorRule


@pytest.mark.parametrize(
    ("price", "side"),
    [
        (101.0, Side.BUY),
        (103.0, Side.BUY),
        (100.1, Side.BUY),
        (99.0, Side.SELL),
        (97.0, Side.SELL),
        (99.9, Side.SELL),
    ],
)
def test_the_quote_decides(price: float, side: Side) -> None:
    rule = AggressorRule()
    rule.see_quote(99, 101)
    assert rule.side_of(price) is side


def test_at_the_middle_the_last_change_of_the_price_decides() -> None:
    rule = AggressorRule()
    rule.see_quote(99, 101)
    rule.side_of(99)
    assert rule.side_of(100) is Side.BUY
    rule.side_of(101)
    assert rule.side_of(100) is Side.SELL


@pytest.mark.parametrize(
    ("bid", "ask"), [(None, None), (99, None), (None, 101), (101, 101), (5, 1)]
)
def test_a_quote_that_says_nothing_leaves_it_to_the_price(
    bid: float | None, ask: float | None
) -> None:
    rule = AggressorRule()
    rule.see_quote(1, 2)
    rule.see_quote(bid, ask)
    sides = [rule.side_of(price) for price in (100, 99, 99, 100, 100)]
    assert sides == [Side.BUY, Side.SELL, Side.SELL, Side.BUY, Side.BUY]
