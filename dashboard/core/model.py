"""What feeds publish: typed, immutable events.

Prices are floats; `Instrument.tick_size` says how they are shown. Times are
integer nanoseconds since the Unix epoch, UTC: `ts_event` is the source's,
`ts_received` (on the hub's envelope) is ours.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar, NamedTuple

import msgspec

PriceLevel = tuple[float, float]
"""One order-book level: (price, size)."""


class Kind(StrEnum):
    """The types of event."""

    PRICE = "price"
    TRADE = "trade"
    BOOK = "book"
    SYSTEM = "system"
    CONTROL = "control"


class Side(StrEnum):
    """The aggressor's side of a trade."""

    BUY = "buy"
    SELL = "sell"


class Topic(NamedTuple):
    """What a sequence number counts: one type of event of one instrument."""

    kind: Kind
    exchange: str
    symbol: str


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is traded; `symbol` is unique within its `exchange`."""

    symbol: str
    exchange: str
    tick_size: float

    @property
    def decimals(self) -> int:
        """Give the digits after the point that `tick_size` needs."""
        return decimals_of(self.tick_size)


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all events. `kind` is fixed by the class.

    Events hold no cycles, and the resume ring holds a hundred thousand of them:
    `gc=False` keeps them out of the garbage collector's sweeps.
    """

    kind: ClassVar[Kind]
    conflatable: ClassVar[bool] = True
    """Whether a newer event of the same topic makes an older one worthless."""

    ts_event: int

    @property
    def topic(self) -> Topic:
        """Give the topic this event belongs to."""
        raise TypeError(type(self).__name__)


class MarketEvent(Event, frozen=True, kw_only=True, gc=False):
    """Base of the events of one instrument."""

    symbol: str
    exchange: str

    @property
    def topic(self) -> Topic:
        """Give the topic this event belongs to."""
        return Topic(self.kind, self.exchange, self.symbol)


class Price(MarketEvent, frozen=True, kw_only=True, gc=False):
    """The current price and the volume that came with it."""

    kind: ClassVar[Kind] = Kind.PRICE

    price: float
    volume: float


class Trade(MarketEvent, frozen=True, kw_only=True, gc=False):
    """One execution; none may be conflated away unnoticed.

    `historical` marks one that happened before the feed was connected and that
    the source repeats as a first value: it counts in no rate and no volume.
    """

    kind: ClassVar[Kind] = Kind.TRADE
    conflatable: ClassVar[bool] = False

    price: float
    size: float
    aggressor_side: Side
    historical: bool = False


class Book(MarketEvent, frozen=True, kw_only=True, gc=False):
    """The whole visible order book, both sides best first.

    `partial` marks one that began without a snapshot and is still being filled.
    """

    kind: ClassVar[Kind] = Kind.BOOK

    bids: Sequence[PriceLevel]
    asks: Sequence[PriceLevel]
    partial: bool = False


class System(Event, frozen=True, kw_only=True, gc=False):
    """The serving process: CPU (percent of one core), memory (MB), events per second."""

    kind: ClassVar[Kind] = Kind.SYSTEM

    cpu_pct: float
    mem_mb: int
    msg_rate: int

    @property
    def topic(self) -> Topic:
        """Give the one topic of this type."""
        return Topic(self.kind, "", "")


class Control(Event, frozen=True, kw_only=True, gc=False):
    """The frequency setting changed; it is one setting for all clients."""

    kind: ClassVar[Kind] = Kind.CONTROL

    frequency_ms: int

    @property
    def topic(self) -> Topic:
        """Give the one topic of this type."""
        return Topic(self.kind, "", "")


class Published(msgspec.Struct, kw_only=True, gc=False):
    """The hub's envelope around an event.

    `seq` rises by one per topic, `offset` by one over the whole hub;
    `ts_received` is when the hub got it. `frames` holds the event as each wire
    dialect writes it, filled on first use and shared by all clients.
    """

    event: Event
    topic: Topic
    seq: int
    offset: int
    ts_received: int
    frames: dict[str, str]


def decimals_of(tick_size: float) -> int:
    """Give the digits after the point that a tick size needs, at most 12.

    >>> decimals_of(0.01), decimals_of(0.25), decimals_of(5)
    (2, 2, 0)
    """
    text = f"{tick_size:.12f}".rstrip("0")
    return len(text.partition(".")[2])
