"""What `/api/instruments…` answers, as its description at `/api/openapi.json` shows it."""

from collections.abc import Sequence

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboard.core.instruments import InstrumentKind, Sent
from dashboard.core.model import PriceLevel


class InstrumentEntry(TypedDict):
    """One instrument in the list; `name` is its symbol."""

    name: str
    underlying: str | None
    exchange: str


class InstrumentDetails(InstrumentEntry):
    """One instrument with its limits, null where unknown.

    `absolute_limit` bounds a client's position in it, either way, `delta_limit`
    the sum of the positions in all instruments of the underlying. `kind` is null
    where the feed does not tell it; `sends` is what the feed may send of it beside
    its price, empty where it does not tell.
    """

    tick_size: float
    absolute_limit: float | None
    delta_limit: float | None
    kind: InstrumentKind | None
    sends: Sequence[Sent]


class BestBidOffer(TypedDict):
    """The best bid and offer; an empty side has price null and quantity 0."""

    best_bid: float | None
    best_bid_qty: float
    best_ask: float | None
    best_ask_qty: float


class OrderBook(TypedDict):
    """Both sides, best first; a level is price and size."""

    bids: Sequence[PriceLevel]
    asks: Sequence[PriceLevel]


class Snapshot(TypedDict):
    """How an instrument stands; null is what has not come yet.

    `/sse/{name}?since={id}` goes on from it without a gap. `last_trade` is the
    price of the last trade, or the feed's last price where it has told of no trade,
    `theo` the theoretical price of the underlying, and `ts` is in microseconds
    since the Unix epoch, UTC.
    """

    id: str
    instrument: str
    bbo: BestBidOffer | None
    book: OrderBook
    last_trade: float | None
    theo: float | None
    ts: int


class BarEntry(TypedDict):
    """What was traded in one interval; `timestamp` is its beginning in ms since the Unix epoch."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Problem(TypedDict):
    """What was wrong with a request, and what is allowed."""

    error: str
    allowed: str
