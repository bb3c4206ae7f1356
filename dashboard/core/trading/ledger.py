"""What a runner has: its position, and what it has earned."""

from typing import NamedTuple

from dashboard.core.trading.model import (
    Account,
    Committed,
    EnterLong,
    EnterShort,
    Position,
    PositionSide,
)
from dashboard.core.trading.rules import Rules


class Left(NamedTuple):
    """A position as it was closed, at what price, its profit net of the fees of both sides."""

    position: Position
    price: float
    realized_pnl: float
    fees: float


class Ledger:
    """The books of one runner, which begin with what was committed.

    `position` is as it was opened or last moved: its present price is passed in. All prices
    given are before costs.
    """

    def __init__(self, begun: Committed, *, capital: float, rules: Rules) -> None:
        self.position = begun.position
        self.realized_pnl = begun.realized_pnl
        self.entry_fees = begun.entry_fees
        self._capital = capital
        self._rules = rules
        self._flat = self._make_account(0.0)

    def find_account(self, price: float) -> Account:
        """Give what there is at a price."""
        position = self.position
        if position is None:
            return self._flat
        return self._make_account(position.profit_at(price) - self.entry_fees)

    def enter(self, action: EnterLong | EnterShort, price: float, *, timestamp: int) -> Position:
        """Open a position."""
        is_long = isinstance(action, EnterLong)
        price = self._rules.worsen(price, buys=is_long)
        self.entry_fees = self._rules.find_fee(price, action.quantity)
        self.position = Position(
            entry_price=price,
            quantity=action.quantity,
            side=PositionSide.LONG if is_long else PositionSide.SHORT,
            entry_timestamp=timestamp,
            current_price=price,
            stop_loss=action.stop_loss,
            take_profit=action.take_profit,
        )
        return self.position

    def leave(
        self, position: Position, price: float, *, timestamp: int, maker: bool = False
    ) -> Left:
        """Close the position."""
        price = self._rules.worsen(price, buys=position.side is PositionSide.SHORT)
        fees = self.entry_fees + self._rules.find_fee(price, position.quantity, maker=maker)
        realized_pnl = position.profit_at(price) - fees
        self.position = None
        self.entry_fees = 0.0
        self.realized_pnl += realized_pnl
        self._flat = self._make_account(0.0)
        return Left(position.closed(price, timestamp=timestamp), price, realized_pnl, fees)

    def _make_account(self, unrealized_pnl: float) -> Account:
        return Account(
            capital=self._capital,
            equity=self._capital + self.realized_pnl + unrealized_pnl,
            realized_pnl=self.realized_pnl,
            unrealized_pnl=unrealized_pnl,
        )
