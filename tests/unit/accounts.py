"""Clients to test with: their events, instruments with limits, and services that know them."""

from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Event, Pnl, Positions
from dashboard.feeds.supervisor import Supervisor
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from tests.unit.fake_feeds import FakeFeed, directory_of
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


class Exchange(FakeFeed):
    """A feed of the instruments above."""

    flowing_state = FeedState.REPLAYED

    def __init__(self) -> None:
        super().__init__("redis", INSTRUMENTS)


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
        self.directory = directory_of(*INSTRUMENTS)

    def publish(self, *events: Event) -> None:
        for event in events:
            self.hub.publish(event)
