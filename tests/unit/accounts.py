"""Clients to test with: their events, instruments with limits, and services that know them."""

from dashboard.commands.door import Commands, Handlers
from dashboard.core.accounts import Account
from dashboard.core.directory import Catalogue, Directory
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Event, Pnl, Positions
from dashboard.feeds.reporting import Reporter
from dashboard.feeds.supervisor import Supervisor
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from dashboard.hub.reports import FeedReports
from tests.unit.fake_feeds import FakeFeed, FakeLeases
from tests.unit.fakes import SECOND_NS, Clock

NOW = 1_700_000_000 * SECOND_NS

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
    """What the page and the API need of a running product; its one feed has not begun."""

    version = "0"
    started_ns = 0
    frequency_ms = 50
    conflates = False

    def __init__(self) -> None:
        self.clock = Clock()
        self.hub = Hub(epoch="e", clock=self.clock, resume_events=1000)
        self.accounts = Accounts(self.hub)
        self.bars = Bars(self.hub)
        self.commands = Commands(Handlers())
        self.leases = FakeLeases()
        self.feeds = FeedReports(self.hub, ("redis",), monotonic=self.clock)
        self.directory = Directory([Catalogue(feed="redis", standing=INSTRUMENTS)])

    def report(self) -> None:
        """Tell how the feed stands."""
        supervisor = Supervisor(
            [Exchange()], publish=self.hub.publish, clock=self.clock, stale_after_ms=2000
        )
        Reporter(supervisor, publish=self.hub.publish, clock=self.clock, monotonic=self.clock).tell(
            "redis"
        )

    def publish(self, *events: Event) -> None:
        for event in events:
            self.hub.publish(event)


def heard(samples: dict[str, list[tuple[int, float]]]) -> list[Account]:
    """Make clients from their PnL at seconds before NOW."""
    running = Running()
    for client, values in samples.items():
        for before_s, value in values:
            running.clock.now = NOW - before_s * SECOND_NS
            running.publish(pnl(client, value))
    return running.accounts.current()
