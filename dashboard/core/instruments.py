"""What is traded: instruments, and what tells them apart."""

import msgspec

from dashboard.core.model import decimals_of

InstrumentKey = tuple[str, str]
"""What tells instruments apart: (exchange, symbol)."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is traded; `symbol` is unique within its `exchange`.

    `absolute_limit` bounds a client's position in it, either way, and
    `delta_limit` the sum of the positions in all instruments of one
    `underlying`; None where there is none, or none is known.
    """

    symbol: str
    exchange: str
    tick_size: float
    underlying: str | None = None
    absolute_limit: float | None = None
    delta_limit: float | None = None

    @property
    def id(self) -> str:
        """Give the full id, unique over all feeds: `EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.symbol}"

    @property
    def key(self) -> tuple[str, str]:
        """Give what tells it apart, as its events have it: exchange and symbol."""
        return (self.exchange, self.symbol)

    @property
    def decimals(self) -> int:
        """Give the digits after the point that `tick_size` needs."""
        return decimals_of(self.tick_size)
