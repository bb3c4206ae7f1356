"""What the hub publishes of instruments, as the ticks and bars that runners get.

A tick is each trade of the instrument; where its feed sends no trades of it, each price. Its bid
and ask are those of the last quote. A feed of whole bars has no ticks: there its bars are what
longer ones are made of.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.instruments import Instrument, InstrumentKey, Sent
from dashboard.core.model import ClosedBar, Kind, Price, Published, Quote, Topic, Trade
from dashboard.core.trading.gather import Gatherer
from dashboard.core.trading.model import MarketData
from dashboard.hub.hub import Hub

NS_PER_MS = 1_000_000
BUFFER_EVENTS = 100_000
TAKEN_AT_ONCE = 256
"""Others get their turn in between."""
LOOK_S = 0.02
"""How often bars are looked at that no tick has ended."""
KINDS = frozenset({Kind.TRADE, Kind.PRICE, Kind.QUOTE, Kind.CLOSED_BAR})

Give = Callable[[MarketData], object]


class Line:
    """One instrument that somebody follows; `last` is its newest tick, None before the first."""

    def __init__(self, instrument: Instrument) -> None:
        self.key = instrument.key
        self.last: MarketData | None = None
        self.followers: tuple[Follower, ...] = ()
        self.bar_ms = instrument.bar_ms
        self._symbol = instrument.symbol
        self._sends_trades = Sent.TRADES in instrument.sends
        self._bid: float | None = None
        self._ask: float | None = None
        self._ahead_ms = 0
        """What the source's clock shows more than the monotonic one."""

    def take(self, published: Published) -> None:
        """Take in an event of the instrument, and hand on what comes of it."""
        event = published.event
        if isinstance(event, Quote):
            self._quote(event)
            return
        tick = self._tick(event)
        if tick is None:
            return
        if isinstance(event, Trade | ClosedBar) and event.anew:
            self.last = None
            for each in self.followers:
                each.restart()
        self._follow_time(tick, published)
        for each in self.followers:
            each.take(tick)

    def remember(self, published: Published) -> None:
        """Take in an event from before anybody followed: nobody gets it as a tick."""
        if isinstance(published.event, Quote):
            self._quote(published.event)
        elif (tick := self._tick(published.event, historical=True)) is not None:
            self._follow_time(tick, published)

    def now_ms(self, monotonic_ns: int) -> int:
        """Give what the source's clock shows now, as its newest tick has told."""
        return monotonic_ns // NS_PER_MS + self._ahead_ms

    def _quote(self, quote: Quote) -> None:
        self._bid, self._ask = quote.bid_price, quote.ask_price
        if self.last is not None:
            price = self.last.close
            bid, ask = self._bid or price, self._ask or price
            for each in self.followers:
                each.quote(quote.ts_event // NS_PER_MS, bid, ask)

    def _tick(self, event: object, *, historical: bool = False) -> MarketData | None:
        """Make a tick of an event, or None where it is none, or no price that can be traded at."""
        if self.bar_ms is not None:
            return _whole(event) if isinstance(event, ClosedBar) else None
        if isinstance(event, Trade):
            if event.historical and not historical:
                return None
            self._sends_trades = True
            price, volume = event.price, event.size
        elif isinstance(event, Price) and not (self._sends_trades or event.derived):
            price, volume = event.price, event.volume
        else:
            return None
        if price <= 0:
            return None
        return MarketData(
            symbol=self._symbol,
            timestamp=event.ts_event // NS_PER_MS,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=volume,
            bid=self._bid or price,
            ask=self._ask or price,
        )

    def _follow_time(self, tick: MarketData, published: Published) -> None:
        if self.last is None or tick.timestamp >= self.last.timestamp:
            self._ahead_ms = tick.timestamp - published.monotonic_ns // NS_PER_MS
        self.last = tick


def _whole(bar: ClosedBar) -> MarketData:
    """Make a runner's bar of a feed's."""
    return MarketData(
        symbol=bar.symbol,
        timestamp=bar.start_ms,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        bid=bar.close,
        ask=bar.close,
    )


class Follower:
    """Who gets the ticks of an instrument, or bars made of them; it begins at rest.

    `late` counts the ticks that came when their bar was over. It must `leave`.
    """

    def __init__(
        self, line: Line, length_ms: int | None, give: Give, *, left: Callable[["Follower"], None]
    ) -> None:
        self.line = line
        self._length_ms = length_ms
        self._give = give
        self._left = left
        self._gatherer: Gatherer | None = None
        self._late = 0
        self.take: Give = _rest

    @property
    def late(self) -> int:
        """Count the ticks that were left out, because their bar was over."""
        return self._late + (self._gatherer.late if self._gatherer else 0)

    def begin(self) -> None:
        """Hand on what comes from now on; a bar that was not complete is forgotten."""
        self.rest()
        if self._length_ms is None:
            self.take = self._give
        else:
            self._gatherer = Gatherer(self._length_ms, part_ms=self.line.bar_ms or 0)
            self.take = self._gather

    def rest(self) -> None:
        """Hand nothing on."""
        self._late = self.late
        self._gatherer = None
        self.take = _rest

    def leave(self) -> None:
        """Follow no longer. Safe to call twice."""
        self.rest()
        self._left(self)

    def quote(self, timestamp_ms: int, bid: float, ask: float) -> None:
        """Take in a quote."""
        if self._gatherer is not None:
            self._gatherer.quote(timestamp_ms, bid=bid, ask=ask)

    def restart(self) -> None:
        """Hand on the bar that there is: the source's time has jumped."""
        if self._gatherer is not None:
            for bar in self._gatherer.restart():
                self._give(bar)

    def is_due(self, now_ms: int) -> bool:
        """Tell whether a bar is complete, by the source's clock, though no tick has ended it."""
        due_ms = None if self._gatherer is None else self._gatherer.due_ms
        return due_ms is not None and due_ms <= now_ms

    def complete(self, now_ms: int) -> None:
        """Hand on the bar that is due."""
        if self._gatherer is not None:
            for bar in self._gatherer.due(now_ms):
                self._give(bar)

    def _gather(self, tick: MarketData) -> None:
        if self._gatherer is not None:
            for bar in self._gatherer.add(tick):
                self._give(bar)


class Ticks:
    """One subscription of the hub for all who follow an instrument.

    `flows` tells whether the feed of an instrument does: a bar is not completed without a
    tick while it does not. `monotonic` is in ns.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        flows: Callable[[InstrumentKey], bool],
        monotonic: Callable[[], int],
    ) -> None:
        self._hub = hub
        self._flows = flows
        self._monotonic = monotonic
        self._lines: dict[InstrumentKey, Line] = {}
        self._taken: deque[Published] = deque()
        self._subscription = hub.subscribe(
            name="runners",
            wants=self._wants,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.DROP_OLDEST,
        )
        self._survival = hub.failures.at("runners")

    def follow(self, instrument: Instrument, length_ms: int | None, give: Give) -> Follower:
        """Follow an instrument, by bars of a length or by its ticks; `give` is called with each."""
        key = instrument.key
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(instrument)
            for published in self._hub.latest(Topic(kind, *key) for kind in KINDS):
                line.remember(published)
            self._subscription.change_filter(self._wants)
        follower = Follower(line, length_ms, give, left=self._leave)
        line.followers = (*line.followers, follower)
        return follower

    async def run(self) -> None:
        """Hand on what the hub publishes until it closes."""
        while not self._subscription.closed:
            await self._subscription.ready()
            self._taken.extend(self._subscription.take())
            while self._taken:
                self._take(TAKEN_AT_ONCE)
                await asyncio.sleep(0)

    def take(self) -> None:
        """Hand on what waits, at once."""
        self._taken.extend(self._subscription.take())
        self._take(len(self._taken))

    def _take(self, count: int) -> None:
        for _ in range(min(count, len(self._taken))):
            published = self._taken.popleft()
            line = self._lines.get((published.topic.exchange, published.topic.subject))
            if line is not None:
                with self._survival:
                    line.take(published)

    async def run_looks(
        self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Hand on bars that no tick has ended, 200 ms after their end, for ever."""
        while True:
            self.look()
            await sleep(LOOK_S)

    def look(self) -> None:
        """Hand on the bars that are complete by now though no tick has ended them."""
        now = self._monotonic()
        for line in list(self._lines.values()):
            now_ms = line.now_ms(now)
            for each in line.followers:
                if each.is_due(now_ms) and self._flows(line.key):
                    with self._survival:
                        each.complete(now_ms)

    def _leave(self, follower: Follower) -> None:
        line = follower.line
        if follower in line.followers:
            line.followers = tuple(each for each in line.followers if each is not follower)
            if not line.followers:
                del self._lines[line.key]
                self._subscription.change_filter(self._wants)

    def _wants(self, topic: Topic) -> bool:
        return topic.kind in KINDS and (topic.exchange, topic.subject) in self._lines


def _rest(_tick: MarketData) -> None:
    """Take nothing."""
