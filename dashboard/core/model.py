"""What feeds publish: typed, immutable events.

Prices are floats; an instrument's `tick_size` says how they are shown. Times are
integer nanoseconds since the Unix epoch, UTC: `ts_event` is the source's,
`ts_received` (on the hub's envelope) is ours.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple, Self

import msgspec

PriceLevel = tuple[float, float]
"""One order-book level: (price, size)."""

EVENT_BYTES = 600
"""What an event takes in memory with its envelope of the hub, apart from what grows with it."""
LEVEL_BYTES = 112
POSITION_BYTES = 160
"""Apart from the length of its name."""


class Channel(StrEnum):
    """What is remembered together: many events of one channel push out none of another."""

    MARKET = "market"
    ACCOUNTS = "accounts"
    RUNNERS = "runners"
    SUMMARY = "summary"
    STATUS = "status"


class Kind(StrEnum):
    """The types of event, each with the channel that it belongs to."""

    _value_: str
    channel: Channel

    def __new__(cls, value: str, channel: Channel) -> Self:
        """Make a member of its value and its channel."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.channel = channel
        return kind

    PRICE = "price", Channel.MARKET
    TRADE = "trade", Channel.MARKET
    QUOTE = "quote", Channel.MARKET
    BOOK = "book", Channel.MARKET
    OPEN_INTEREST = "open_interest", Channel.MARKET
    CLOSED_BAR = "closed_bar", Channel.MARKET
    THEO = "theo", Channel.MARKET
    POSITIONS = "positions", Channel.ACCOUNTS
    PNL = "pnl", Channel.ACCOUNTS
    TICK_RECEIVED = "tick_received", Channel.RUNNERS
    STATE_TRANSITION = "state_transition", Channel.RUNNERS
    ACTION_EXECUTED = "action_executed", Channel.RUNNERS
    POSITION_OPENED = "position_opened", Channel.RUNNERS
    POSITION_UPDATED = "position_updated", Channel.RUNNERS
    POSITION_CLOSED = "position_closed", Channel.RUNNERS
    RUNNER_ERROR = "runner_error", Channel.RUNNERS
    RUNNER_STARTED = "runner_started", Channel.RUNNERS
    RUNNER_STOPPED = "runner_stopped", Channel.RUNNERS
    SYSTEM = "system", Channel.STATUS
    CONTROL = "control", Channel.STATUS
    FEED_REPORT = "feed_report", Channel.STATUS
    FEED_CATALOGUE = "feed_catalogue", Channel.STATUS
    REVOKED_KEYS = "revoked_keys", Channel.STATUS


class Side(StrEnum):
    """The aggressor's side of a trade."""

    BUY = "buy"
    SELL = "sell"


class PriceBasis(StrEnum):
    """What a price is."""

    LAST = "last"
    """That of the last trade, or the value of what is not traded."""
    MID = "mid"
    """Halfway between the best bid and the best offer."""


class Topic(NamedTuple):
    """What a sequence number counts: one type of event about one subject.

    The subject is an instrument's symbol, the underlying of a theoretical price, the
    client of positions and PnL; empty where there is but one.
    """

    kind: Kind
    exchange: str
    subject: str


_topic: Callable[[tuple[Kind, str, str]], Topic] = partial(tuple[str].__new__, Topic)
"""Make a topic faster than its own constructor does: each event asks for one."""


def _tag(name: str) -> str:
    """Give the tag by which an event of a class is told, `open_interest` for OpenInterest."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Event(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=_tag, forbid_unknown_fields=True
):
    """Base of all events; `core.codec` lists those that there are. `kind` is fixed by the class.

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

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory, those of the hub's envelope included."""
        return EVENT_BYTES


class MarketEvent(Event, frozen=True, kw_only=True, gc=False):
    """Base of the events of one instrument.

    `envelope` is the source's own message, compact JSON, where the source is an
    exchange whose messages are passed on as they were published.
    """

    symbol: str
    exchange: str
    envelope: str | None = None

    @property
    def topic(self) -> Topic:
        """Give the topic this event belongs to."""
        return _topic((self.kind, self.exchange, self.symbol))

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory."""
        envelope = self.envelope
        return EVENT_BYTES if envelope is None else EVENT_BYTES + weigh_text(envelope)


class Price(MarketEvent, frozen=True, kw_only=True, gc=False):
    """The current price and the volume that came with it.

    `basis` says what it is: a mid says nothing of what was traded. `derived` marks that of
    the trade before it, see `feeds.derived`.
    """

    kind: ClassVar[Kind] = Kind.PRICE

    price: float
    volume: float
    basis: PriceBasis = PriceBasis.LAST
    derived: bool = False


class Trade(MarketEvent, frozen=True, kw_only=True, gc=False):
    """One execution; none may be conflated away unnoticed.

    `historical` marks one that happened before the feed was connected and that
    the source repeats as a first value: it counts in no rate and no volume. `priced` marks
    one whose feed publishes prices of its own: none is derived from it. `anew` marks the first
    after its source's time has jumped, as that of a replay does: a bar of those before it ends.
    `buyer` and `seller` are clients, where the source names them.
    """

    kind: ClassVar[Kind] = Kind.TRADE
    conflatable: ClassVar[bool] = False

    price: float
    size: float
    aggressor_side: Side
    historical: bool = False
    priced: bool = False
    anew: bool = False
    buyer: str | None = None
    seller: str | None = None

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory."""
        envelope = self.envelope
        if envelope is None:
            return EVENT_BYTES
        return EVENT_BYTES + sum(map(weigh_text, (envelope, self.buyer, self.seller)))


class Quote(MarketEvent, frozen=True, kw_only=True, gc=False):
    """The best bid and offer; an empty side has price None and size 0.

    `derived` marks that of the book before it, see `feeds.derived`.
    """

    kind: ClassVar[Kind] = Kind.QUOTE

    bid_price: float | None
    bid_size: float
    ask_price: float | None
    ask_size: float
    derived: bool = False


class Book(MarketEvent, frozen=True, kw_only=True, gc=False):
    """The whole visible order book, both sides best first.

    `partial` marks one that began without a snapshot and is still being filled.
    """

    kind: ClassVar[Kind] = Kind.BOOK

    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    partial: bool = False

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory."""
        levels = len(self.bids) + len(self.asks)
        envelope = self.envelope
        weight = EVENT_BYTES + LEVEL_BYTES * levels
        return weight if envelope is None else weight + weigh_text(envelope)


class OpenInterest(MarketEvent, frozen=True, kw_only=True, gc=False):
    """How much of a derivative is open now, and was at the end of the day before.

    Both are quantities like the sizes of trades: lots times the size of a lot.
    """

    kind: ClassVar[Kind] = Kind.OPEN_INTEREST

    quantity: float
    previous_quantity: float


class ClosedBar(MarketEvent, frozen=True, kw_only=True, gc=False):
    """A whole bar, as its source has it; none may be conflated away unnoticed.

    `start_ms` is its open in ms since the Unix epoch, UTC, by the bar's own calendar: what is
    played again keeps it, while `ts_event` is when it was played. Bars follow each other at
    multiples of `interval_ms`, which their instrument tells, but where there was none. `anew`
    marks the first after its source's time has jumped.
    """

    kind: ClassVar[Kind] = Kind.CLOSED_BAR
    conflatable: ClassVar[bool] = False

    start_ms: int
    interval_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    anew: bool = False


class Theo(Event, frozen=True, kw_only=True, gc=False):
    """The theoretical price of an underlying, as the exchange computes it."""

    kind: ClassVar[Kind] = Kind.THEO

    underlying: str
    exchange: str
    price: float

    @property
    def topic(self) -> Topic:
        """Give the topic of this underlying."""
        return Topic(self.kind, self.exchange, self.underlying)


class AccountEvent(Event, frozen=True, kw_only=True, gc=False):
    """Base of the events of one client of an exchange; for `envelope` see MarketEvent."""

    client: str
    exchange: str
    envelope: str | None = None

    @property
    def topic(self) -> Topic:
        """Give the topic of this client."""
        return Topic(self.kind, self.exchange, self.client)

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory."""
        return EVENT_BYTES + weigh_text(self.envelope) + weigh_text(self.client)


class Positions(AccountEvent, frozen=True, kw_only=True, gc=False):
    """All positions of a client: the signed quantity by instrument."""

    kind: ClassVar[Kind] = Kind.POSITIONS

    positions: Mapping[str, float]

    def weigh(self) -> int:
        """Estimate the bytes that it holds in memory; the names are in the envelope too."""
        return EVENT_BYTES + 2 * weigh_text(self.envelope) + POSITION_BYTES * len(self.positions)


class Pnl(AccountEvent, frozen=True, kw_only=True, gc=False):
    """The profit and loss of a client so far, in the exchange's currency."""

    kind: ClassVar[Kind] = Kind.PNL

    pnl: float


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


class RevokedKeys(Event, frozen=True, kw_only=True, gc=False):
    """API keys hold no longer: all that were revoked since the start, by their ids."""

    kind: ClassVar[Kind] = Kind.REVOKED_KEYS

    key_ids: tuple[int, ...]

    @property
    def topic(self) -> Topic:
        """Give the one topic of this type."""
        return Topic(self.kind, "", "")


class Ended(Event, frozen=True, kw_only=True, gc=False):
    """The last event of a topic, of whatever kind that is: nothing is kept of it any more."""

    of: Topic

    @property
    def topic(self) -> Topic:
        """Give the topic that has ended."""
        return self.of


class Published(msgspec.Struct, kw_only=True, gc=False):
    """The hub's envelope around an event.

    `seq` rises by one per topic, `offset` by one over the whole hub;
    `ts_received` is when the hub got it, and `monotonic_ns` the same moment by a
    clock that is never set: a stamp, and what intervals are measured by. `frames`
    holds the event as each wire dialect writes it, filled on first use and shared
    by all clients. `weight` estimates the bytes that all of it holds in memory, and
    is 0 once the hub has forgotten it.
    """

    event: Event
    topic: Topic
    seq: int
    offset: int
    ts_received: int
    monotonic_ns: int = 0
    frames: dict[str, str]
    weight: int = EVENT_BYTES


def weigh_text(text: str | None) -> int:
    """Estimate the bytes that a text holds in memory: four a character, unless all are ASCII."""
    if text is None:
        return 0
    return len(text) if text.isascii() else 4 * len(text)
