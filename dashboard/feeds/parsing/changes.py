"""What a venue's messages mean, before books are built of them.

Parsers give `Price` and `Trade` events as they are, and for the rest the types
below, which `markets.Markets` turns into events. Which prices there can be is the
venue's to say: above zero, or also zero and below. None is absurd, and no size is
absurd or negative: a parser lets nothing else through.
"""

from collections.abc import Callable, Sequence

import msgspec

from dashboard.core.errors import ParseError
from dashboard.core.model import Price, PriceLevel, Trade


class MarketChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the changes of one instrument."""

    symbol: str
    exchange: str
    ts_event: int


class QuoteChange(MarketChange, frozen=True, kw_only=True, gc=False):
    """The best bid and ask, told apart from the book."""

    bid_price: float
    ask_price: float


class BookSnapshot(MarketChange, frozen=True, kw_only=True, gc=False):
    """The whole book, in any order."""

    bids: Sequence[PriceLevel]
    asks: Sequence[PriceLevel]


class BookDelta(MarketChange, frozen=True, kw_only=True, gc=False):
    """New sizes of some levels; 0 removes one.

    `last` is the venue's number of this update, `previous` that of the one
    before it; None where the venue numbers nothing.
    """

    bids: Sequence[PriceLevel]
    asks: Sequence[PriceLevel]
    previous: int | None = None
    last: int | None = None


Change = Price | Trade | QuoteChange | BookSnapshot | BookDelta

Parse = Callable[[str, int], Sequence[Change] | None]
"""Read one message (text, ts_event): its changes, none for a message that is known but
carries none, None for one that the venue's parser does not know.

Raises ParseError for a message of a known type that is malformed, or for no JSON at all.
"""

ABSURD_PRICE = 2.0**53
"""A price as far from zero as this, or farther, is damage."""
ABSURD_SIZE = 1e15
"""A size from here on is damage; sums and turnovers of smaller ones are finite."""


def parse_price(venue: str, text: str) -> float:
    """Read a price of a venue where all prices are above zero.

    Raises:
        ParseError: when it is not, or absurd.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise ParseError(venue=venue, problem=f"{text[:40]!r} is no price") from error
    if 0 < value < ABSURD_PRICE:
        return value
    raise ParseError(venue=venue, problem=f"{text[:40]!r} is no price")


def parse_size(venue: str, text: str) -> float:
    """Read a size: not negative, and not absurd.

    Raises:
        ParseError: when it is not.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise ParseError(venue=venue, problem=f"{text[:40]!r} is no size") from error
    if 0 <= value < ABSURD_SIZE:
        return value
    raise ParseError(venue=venue, problem=f"{text[:40]!r} is no size")


def parse_levels(venue: str, levels: Sequence[tuple[str, str]]) -> tuple[PriceLevel, ...]:
    """Read the levels of one side, in the order given.

    Raises:
        ParseError: when one of them is malformed.
    """
    return tuple([(parse_price(venue, price), parse_size(venue, size)) for price, size in levels])
