"""What a page needs of a running product, and its stream of batches, without a browser."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dashboard.commands.door import Commands, Handlers
from dashboard.commands.requests import ControlReplay, SetFrequency
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.core.model import Book, Price
from dashboard.core.reports import Stretch
from dashboard.feeds.base import Feed, SeekableFeed
from dashboard.feeds.controls import Replays
from dashboard.feeds.reporting import Reporter
from dashboard.feeds.supervisor import Supervisor
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from dashboard.hub.reports import FeedReports
from dashboard.ui.tab import Tab
from tests.unit.fake_feeds import FakeFeed, FakeLeases, directory_of
from tests.unit.fakes import SECOND_NS, Clock

Batch = dict[str, Any]


class FakeReplay(FakeFeed):
    """A feed with the controls of a replay, that never plays anything."""

    flowing_state = FeedState.REPLAYED
    duration_s = 90.0
    began_ns = 1_500_000_000_000_000_000

    def __init__(self) -> None:
        super().__init__("replay")
        self.paused = False
        self.speed = 1.0
        self.position_s = 12.3456
        self.problem = ""

    @property
    def note(self) -> str:
        return self.problem

    @property
    def stretches(self) -> list[Stretch]:
        recorded_ns = self.began_ns + round(self.position_s * SECOND_NS)
        pace = 0.0 if self.paused else self.speed
        return [Stretch(played_ns=SECOND_NS, recorded_ns=recorded_ns, pace=pace, jumped=True)]

    @property
    def playback(self) -> SeekableFeed:
        return self

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, seconds: float) -> None:
        self.position_s = seconds


@dataclass
class FakeProduct:
    """What a page needs of a running product, made of real parts but the feeds."""

    clock: Clock = field(default_factory=Clock)
    frequency_ms: int = 10
    symbols: tuple[str, ...] = ("A", "B")
    conflates: bool = False
    sources: tuple[Feed, ...] = ()
    underlying: str | None = None

    def __post_init__(self) -> None:
        self.hub = Hub(epoch="e", clock=self.clock, resume_events=100)
        self.bars = Bars(self.hub)
        self.directory = directory_of(*(self.instrument(symbol) for symbol in self.symbols))
        self.leases = FakeLeases()
        self.accounts = Accounts(self.hub)
        self.feeds = FeedReports(
            self.hub, tuple(each.name for each in self.sources), monotonic=self.clock
        )
        supervisor = Supervisor(
            self.sources, publish=self.hub.publish, clock=self.clock, stale_after_ms=1000
        )
        reporter = Reporter(
            supervisor, publish=self.hub.publish, clock=self.clock, monotonic=self.clock
        )
        reporter.look()
        handlers = Handlers()
        handlers.does(ControlReplay, Replays(self.sources, told=reporter.tell).control)
        handlers.does(SetFrequency, self._set_frequency)
        self.commands = Commands(handlers)

    def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol=symbol, exchange="X", tick_size=0.01, underlying=self.underlying)

    async def _set_frequency(self, asked: SetFrequency) -> int:
        self.frequency_ms = round(asked.frequency_ms)
        return self.frequency_ms

    def price(self, symbol: str, price: float) -> None:
        self.hub.publish(Price(symbol=symbol, exchange="X", price=price, volume=1, ts_event=0))

    def book(self, symbol: str, bid: float, ask: float | None = None) -> None:
        """Publish a book; without an ask one that is locked, which no price contradicts."""
        bids, asks = ((bid, 1.0),), ((bid if ask is None else ask, 1.0),)
        self.hub.publish(Book(symbol=symbol, exchange="X", bids=bids, asks=asks, ts_event=0))


def open_tab(
    running: FakeProduct, *, watched: tuple[str, ...] = ("A", "B"), may_control: bool = False
) -> Tab:
    instruments = [running.instrument(symbol) for symbol in watched]
    return Tab(running, watched=instruments, chosen="X:A", may_control=may_control)


async def pushes(
    tab: Tab, *steps: Callable[[], object], taken_from: int = 1
) -> list[tuple[str, Batch]]:
    """Run a tab's stream; after each push take one step, after the last one close it.

    The page takes the pushes from that of number `taken_from` on, and answers openings.
    """
    sent: list[tuple[str, Batch]] = []
    left = list(steps)

    async def send(slot: str, batch: Batch) -> None:
        sent.append((slot, batch))
        if "s" in batch and batch["n"] >= taken_from:
            tab.took(batch["g"])
        if left:
            left.pop(0)()
        else:
            tab.close()

    async with asyncio.timeout(10):
        await tab.run(send)
    return sent
