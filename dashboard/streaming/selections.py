"""What there is of event streams: each carries some events of one channel of the hub."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.core.instruments import Instrument
from dashboard.core.model import Channel, Published, Topic
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Wants
from dashboard.protocols import sse

INSTRUMENT_EVENTS, ACCOUNT_EVENTS = 512, 1024


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a stream carries: its name in the metrics, its events, and how far a client may lag.

    Selections of one `key` carry the same: what they want of one channel of the hub, beginning
    with what is the `latest` of it.
    """

    name: str
    key: str
    channel: Channel
    wants: Wants
    latest: Callable[[Hub], list[Published]]
    capacity: int


def instrument_selection(instrument: Instrument) -> Selection:
    """Select one instrument's books, quotes and trades."""
    exchange, symbol = instrument.exchange, instrument.symbol
    topics = frozenset(Topic(kind, exchange, symbol) for kind in sse.INSTRUMENT_KINDS)
    return Selection(
        name="sse",
        key=instrument.id,
        channel=Channel.MARKET,
        wants=topics.__contains__,
        latest=lambda hub: hub.latest(topics),
        capacity=INSTRUMENT_EVENTS,
    )


def account_selection() -> Selection:
    """Select all clients' positions and PnL."""
    return Selection(
        name="sse pnl",
        key="pnl",
        channel=Channel.ACCOUNTS,
        wants=_is_account,
        latest=lambda hub: hub.latest_of_kinds(sse.ACCOUNT_KINDS),
        capacity=ACCOUNT_EVENTS,
    )


def _is_account(topic: Topic) -> bool:
    return topic.kind in sse.ACCOUNT_KINDS
