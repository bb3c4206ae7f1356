"""What is traded: instruments, and what tells them apart."""

from enum import StrEnum

import msgspec

MAX_DECIMALS = 20
"""Of a price; a smaller one than these can show is shown as 0."""
SURE_CHARACTERS = 16
"""A number that needs no more has no noise in its digits."""
MAX_NAME = 100
"""Characters of the name of an instrument, an exchange or an underlying."""

InstrumentKey = tuple[str, str]
"""What tells instruments apart: (exchange, symbol)."""


class InstrumentKind(StrEnum):
    """What an instrument is."""

    INDEX = "index"
    EQUITY = "equity"
    FUTURE = "future"
    OPTION = "option"
    CURRENCY = "currency"
    CRYPTO = "crypto"


class Sent(StrEnum):
    """What a feed may send of an instrument beside its price."""

    TRADES = "trades"
    QUOTES = "quotes"
    BOOK = "book"
    VOLUME = "volume"


class Instrument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that is traded; `symbol` is unique within its `exchange`.

    `absolute_limit` bounds a client's position in it, either way, and
    `delta_limit` the sum of the positions in all instruments of one
    `underlying`; None where there is none, or none is known. `kind` is
    None, and `sends` empty, where its feed cannot tell. `bar_ms` is the length of its bars,
    where its feed has them whole, and no trades. It holds no cycles: `gc=False`
    keeps a long list out of the garbage collector's sweeps.
    """

    symbol: str
    exchange: str
    tick_size: float
    underlying: str | None = None
    absolute_limit: float | None = None
    delta_limit: float | None = None
    kind: InstrumentKind | None = None
    sends: tuple[Sent, ...] = ()
    bar_ms: int | None = None

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


def is_name(text: str) -> bool:
    """Tell whether a text can name an instrument: on one line, visible, at most 100 characters."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and not text.isspace()


def decimals_of(number: float) -> int:
    """Give the digits after the point that a price or a tick size needs, at most 20.

    Digits beyond the fifteenth that counts are the noise of adding floats.

    >>> decimals_of(0.01), decimals_of(-0.25), decimals_of(5), decimals_of(1e-15)
    (2, 2, 0, 15)
    """
    text = repr(number)
    if len(text) <= SURE_CHARACTERS and "e" not in text:
        return len(text.partition(".")[2].rstrip("0"))
    digits, _, exponent = f"{number:.14e}".partition("e")
    decimals = len(digits.partition(".")[2].rstrip("0")) - int(exponent)
    return min(max(decimals, 0), MAX_DECIMALS)
