import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trading.ledger import Ledger
from dashboard.core.trading.model import Account, Committed, EnterLong, EnterShort, PositionSide
from dashboard.core.trading.rules import Rules

RULES = Rules(fee_bps=10, fee_maker_bps=0, spread_bps=20, slippage_bps=10)


def ledger(rules: Rules = RULES) -> Ledger:
    return Ledger(Committed(), capital=1000.0, rules=rules)


def test_an_entry_costs_spread_slippage_and_fee() -> None:
    made = ledger()
    position = made.enter(EnterLong(price=100.0, quantity=2.0), 100.0, timestamp=5)
    assert position.entry_price == pytest.approx(100.2)
    assert made.entry_fees == pytest.approx(0.2004)
    assert made.find_account(100.0).unrealized_pnl == pytest.approx(-0.4 - 0.2004)
    assert made.realized_pnl == 0.0


def test_a_profit_is_net_of_the_fees_of_both_sides() -> None:
    made = ledger()
    position = made.enter(EnterShort(price=100.0, quantity=2.0), 100.0, timestamp=5)
    assert position.side is PositionSide.SHORT
    assert position.entry_price == pytest.approx(99.8)
    left = made.leave(position, 90.0, timestamp=9)
    assert left.price == pytest.approx(90.18)
    assert left.fees == pytest.approx(0.1996 + 0.18036)
    assert left.realized_pnl == pytest.approx((99.8 - 90.18) * 2 - left.fees)
    assert left.position.exit_price == left.price
    assert (made.position, made.entry_fees) == (None, 0.0)
    assert made.realized_pnl == left.realized_pnl


def test_a_maker_pays_its_own_fee() -> None:
    made = ledger()
    position = made.enter(EnterLong(price=100.0, quantity=2.0), 100.0, timestamp=5)
    assert made.leave(position, 110.0, timestamp=9, maker=True).fees == pytest.approx(0.2004)


def test_the_account_of_who_holds_nothing_does_not_depend_on_the_price() -> None:
    made = Ledger(Committed(realized_pnl=50.0), capital=1000.0, rules=Rules())
    assert made.find_account(1.0) is made.find_account(2.0)
    assert made.find_account(1.0) == Account(
        capital=1000.0, equity=1050.0, realized_pnl=50.0, unrealized_pnl=0.0
    )


@given(
    st.sampled_from((EnterLong, EnterShort)),
    st.floats(1, 1e6),
    st.floats(1, 1e6),
    st.floats(1e-3, 1e3),
)
def test_costs_never_make_a_trade_better(
    enter: type[EnterLong | EnterShort], entry: float, leaving: float, quantity: float
) -> None:
    earned: list[float] = []
    for rules in (Rules(), RULES):
        made = ledger(rules)
        position = made.enter(enter(price=entry, quantity=quantity), entry, timestamp=0)
        earned.append(made.leave(position, leaving, timestamp=1).realized_pnl)
    assert earned[1] <= earned[0]
