"""What a run pays for its fills, and where they are made."""

from enum import StrEnum

import msgspec

from dashboard.core.errors import TradingError

BPS = 10_000.0
MAX_BPS = 5000.0
MAX_LATENCY_MS = 86_400_000
INVALID = "INVALID_REQUEST"


class Fill(StrEnum):
    """Where a decision is filled: at its price, or the open of a later bar."""

    PRICE = "price"
    NEXT_OPEN = "next-open"


class Stops(StrEnum):
    """Where stop and target are looked for: at the close, or inside the bar."""

    CLOSE = "close"
    INSIDE = "inside"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a run; without any, it is filled as live runners are, and pays nothing.

    Fees are of the fill price, on both sides; `fee_maker_bps`, the same unless given, is that
    of targets inside the bar. Spread and slippage make each fill worse. With `next-open` a
    decision, made when its bar ends, fills at the first open that is `latency_ms` or more
    behind that.

    Raises:
        TradingError: when a number is out of range, or a latency has no open to wait for.
    """

    fee_bps: float = 0.0
    fee_maker_bps: float | None = None
    spread_bps: float = 0.0
    slippage_bps: float = 0.0
    latency_ms: int = 0
    fill: Fill = Fill.PRICE
    stops: Stops = Stops.CLOSE

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        _check("fee_bps", self.fee_bps, MAX_BPS)
        _check("fee_maker_bps", self.fee_maker_bps or 0.0, MAX_BPS)
        _check("spread_bps", self.spread_bps, MAX_BPS)
        _check("slippage_bps", self.slippage_bps, MAX_BPS)
        _check("latency_ms", self.latency_ms, MAX_LATENCY_MS)
        if self.latency_ms and self.fill is not Fill.NEXT_OPEN:
            problem = f"latency_ms {self.latency_ms} is not allowed with fill {self.fill.value}"
            raise TradingError(code=INVALID, problem=f"{problem}; allowed: 0, or fill next-open")

    def worsen(self, price: float, *, buys: bool) -> float:
        """Give what is paid, or got, at a price."""
        cost = (self.spread_bps / 2 + self.slippage_bps) / BPS
        return price * (1 + cost if buys else 1 - cost)

    def find_fee(self, price: float, quantity: float, *, maker: bool = False) -> float:
        """Give the fee of a fill, which a `maker` has waited for at its price."""
        bps = self.fee_bps
        if maker and self.fee_maker_bps is not None:
            bps = self.fee_maker_bps
        return price * quantity * bps / BPS


def _check(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        problem = f"{name} {value!r} is not allowed; allowed: 0 to {most:g}"
        raise TradingError(code=INVALID, problem=problem)
