"""Clients to test with: their events, instruments with limits, and services that know them."""

from collections.abc import Sequence

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Event, Pnl, Positions
from dashboard.feeds.base import Publish
from dashboard.feeds.supervisor import Supervisor
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from tests.unit.fakes import Clock

INSTRUMENTS = (
    Instrument(
        symbol="AAPL",
        exchange="REDIS",
        tick_size=0.01,
        underlying="AAPL_STOCK",
        absolute_limit=100,
        delta_limit=50,
    ),
    Instrument(
        symbol="AAPL_DUAL",
        exchange="REDIS",
        tick_size=0.01,
        underlying="AAPL_STOCK",
        absolute_limit=100,
        delta_limit=50,
    ),
    Instrument(symbol="FREE", exchange="REDIS", tick_size=0.01),
)


def positions(client: str = "Ann", *, exchange: str = "REDIS", **amounts: float) -> Positions:
    return Positions(client=client, exchange=exchange, positions=amounts, ts_event=0)


def pnl(client: str = "Ann", value: float = 0.0, *, exchange: str = "REDIS") -> Pnl:
    return Pnl(client=client, exchange=exchange, pnl=value, ts_event=0)


class Exchange:
    """A feed of the instruments above that publishes nothing by itself."""

    name = "redis"
    flowing_state = FeedState.REPLAYED
    gaps = 0
    skipped = 0

    def instruments(self) -> Sequence[Instrument]:
        return INSTRUMENTS

    async def run(self, publish: Publish) -> None: ...

    async def subscribe(self, instrument: Instrument) -> None: ...

    async def unsubscribe(self, instrument: Instrument) -> None: ...


class Running:
    """What the page and the exports need of the services."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.hub = Hub(epoch="e", clock=self.clock, resume_events=1000)
        self.accounts = Accounts(self.hub)
        self.bars = Bars(self.hub)
        self.supervisor = Supervisor(
            [Exchange()], publish=self.hub.publish, clock=self.clock, stale_after_ms=2000
        )
        self.listings = list(INSTRUMENTS)

    def publish(self, *events: Event) -> None:
        for event in events:
            self.hub.publish(event)

    async def open(self, name: str) -> Instrument | None:
        return next((each for each in self.listings if name in (each.symbol, each.id)), None)
