"""The engine with a fake host, on a hub and a database of its own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from dashboard.commands.door import Commands, Handlers
from dashboard.commands.requests import Command
from dashboard.commands.trading import CreateRunner, RunnerSnapshot, SaveStrategy, TellRunner
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.directory import Catalogue, Directory
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument, InstrumentKey, Sent
from dashboard.core.model import Channel, ClosedBar, Event, Price, Quote, Side, Trade
from dashboard.core.principal import LOCAL
from dashboard.hub.hub import Hub
from dashboard.storage.database import open_database
from dashboard.storage.trading import TradingRepository
from dashboard.trading.engine import Engine
from tests.unit.clocks import Clocks
from tests.unit.fake_feeds import FakeLeases
from tests.unit.fakes import MS_NS
from tests.unit.trading.fake_host import TRADER, FakeHost

BTC = Instrument(symbol="BTCUSDT", exchange="CRYPTO", tick_size=0.01, sends=(Sent.TRADES,))
AAPL = Instrument(symbol="AAPL", exchange="NASDAQ", tick_size=0.01, sends=(Sent.VOLUME,))
MINUTES = Instrument(symbol="BTC-PERP", exchange="CSV", tick_size=0.1, bar_ms=60_000)
UNTOLD = Instrument(symbol="UNTOLD", exchange="X", tick_size=0.01)


def trade(price: float, *, ms: int = 0, size: float = 1.0, of: Instrument = BTC) -> Trade:
    return Trade(
        symbol=of.symbol,
        exchange=of.exchange,
        price=price,
        size=size,
        aggressor_side=Side.BUY,
        ts_event=ms * MS_NS,
    )


def price(value: float, *, ms: int = 0, of: Instrument = AAPL, derived: bool = False) -> Price:
    return Price(
        symbol=of.symbol,
        exchange=of.exchange,
        price=value,
        volume=3.0,
        derived=derived,
        ts_event=ms * MS_NS,
    )


def quote(bid: float | None, ask: float | None, *, ms: int = 0, of: Instrument = BTC) -> Quote:
    return Quote(
        symbol=of.symbol,
        exchange=of.exchange,
        bid_price=bid,
        bid_size=1.0,
        ask_price=ask,
        ask_size=1.0,
        ts_event=ms * MS_NS,
    )


def minute(number: int, close: float, *, anew: bool = False) -> ClosedBar:
    return ClosedBar(
        symbol=MINUTES.symbol,
        exchange=MINUTES.exchange,
        start_ms=number * 60_000,
        interval_ms=60_000,
        open=close - 1,
        high=close + 2,
        low=close - 2,
        close=close,
        volume=7.0,
        anew=anew,
        ts_event=number,
    )


class Parts:
    """An engine and what is around it; `restarted` gives another on the same database."""

    def __init__(self, folder: Path, *, limit: int = 10, clocks: Clocks | None = None) -> None:
        self.folder = folder
        self.clocks = clocks or Clocks()
        self.hub = Hub(
            epoch="e",
            clock=self.clocks.wall,
            monotonic=self.clocks.monotonic,
            resume_events=10_000,
        )
        self.host = FakeHost()
        self.leases = FakeLeases()
        self.directory = Directory([Catalogue(feed="feed", standing=(BTC, AAPL, UNTOLD, MINUTES))])
        self.state = FeedState.LIVE
        self.closed = False
        self.database = open_database(f"sqlite:///{folder / 'test.db'}")
        SQLModel.metadata.create_all(self.database)  # sooner than by migrations
        self.repository = TradingRepository(self.database)
        self.engine = Engine(
            hub=self.hub,
            host=self.host,
            repository=self.repository,
            folder=folder / "runners",
            leases=self.leases,
            directory=lambda: self.directory,
            feed_state=self._feed_state,
            clock=self.clocks.wall,
            monotonic=self.clocks.monotonic,
            limit=limit,
        )
        handlers = Handlers()
        self.engine.enter(handlers)
        self.commands = Commands(handlers)
        self._heard = self.hub.subscribe(
            name="test",
            wants=lambda topic: topic.kind.channel is Channel.RUNNERS,
            capacity=10_000,
            policy=OverflowPolicy.DISCONNECT,
        )

    async def ask(self, command: Command[Any]) -> Any:
        return await self.commands.ask(command, by=LOCAL)

    async def create(self, runner_id: str = "one", **changed: Any) -> Any:
        asked = {"symbol": "BTCUSDT", "strategy_name": "trader", **changed}
        return await self.ask(CreateRunner(runner_id=runner_id, **asked))

    async def save(self, name: str = "trader", code: str = TRADER) -> Any:
        return await self.ask(SaveStrategy(name=name, code=code, created_by="me"))

    async def snapshot(self, runner_id: str = "one") -> RunnerSnapshot:
        return await self.ask(TellRunner(runner_id=runner_id))

    def publish(self, *events: Event) -> None:
        """Publish events of the market, and let runners have them."""
        for event in events:
            self.hub.publish(event)
        self.engine.ticks.take()

    def heard(self) -> Sequence[Event]:
        """Give the events of runners since the last time."""
        return [each.event for each in self._heard.take()]

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        await self.engine.close()
        self.hub.close()
        self.database.dispose()

    async def restarted(self, *, after_s: float = 0) -> "Parts":
        """End, and begin again later with what was kept."""
        await self.close()
        self.clocks.advance(seconds=after_s)
        return await begun(Parts(self.folder, clocks=self.clocks))

    def _feed_state(self, _key: InstrumentKey) -> FeedState:
        return self.state


async def begun(parts: Parts) -> Parts:
    await parts.engine.registry.restore()
    return parts


@asynccontextmanager
async def running(folder: Path, **changed: Any) -> AsyncGenerator[Parts]:
    """Begin with a database that has the strategy `trader`."""
    parts = await begun(Parts(folder, **changed))
    await parts.save()
    yield parts
    await parts.close()
