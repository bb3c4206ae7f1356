import pytest

from dashboard.core.trading.model import Position, PositionSide


def position(side: PositionSide) -> Position:
    return Position(
        entry_price=100.0,
        quantity=2.0,
        side=side,
        entry_timestamp=1000,
        current_price=100.0,
        stop_loss=90.0,
        take_profit=120.0,
    )


@pytest.mark.parametrize(
    ("side", "price", "profit"),
    [
        (PositionSide.LONG, 103.0, 6.0),
        (PositionSide.LONG, 97.0, -6.0),
        (PositionSide.SHORT, 103.0, -6.0),
        (PositionSide.SHORT, 97.0, 6.0),
    ],
)
def test_a_long_earns_as_the_price_rises_and_a_short_as_it_falls(
    side: PositionSide, price: float, profit: float
) -> None:
    assert position(side).profit_at(price) == profit
    priced = position(side).priced(price)
    assert (priced.current_price, priced.unrealized_pnl) == (price, profit)


@pytest.mark.parametrize("side", PositionSide)
def test_what_has_earned_nothing_has_no_negative_zero(side: PositionSide) -> None:
    assert str(position(side).profit_at(100.0)) == "0.0"


def test_of_a_closed_position_nothing_is_unrealized() -> None:
    closed = position(PositionSide.LONG).priced(110.0).closed(110.0, timestamp=5000)
    assert (closed.unrealized_pnl, closed.current_price) == (0.0, 110.0)
    assert (closed.exit_price, closed.exit_timestamp) == (110.0, 5000)
    assert (closed.stop_loss, closed.take_profit) == (90.0, 120.0)


def test_a_priced_position_keeps_its_stop_and_target() -> None:
    assert position(PositionSide.LONG).priced(100.0) == position(PositionSide.LONG)
