"""Subscriptions to feeds: the one place that asks a feed to begin or to stop delivering.

Each feed has a desk, which asks it for one batch at a time: so all who want the same
share one answer, and who stops waiting for it costs nobody else theirs.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog

from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.feeds.base import Feed, Refusals

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 10.0
"""A feed that does not answer for so long has refused."""
SILENT = f"the feed did not answer for {ANSWER_WITHIN_S:g} s"
BROKEN = "the feed failed"
ENDED = "the feeds have ended"

Answer = asyncio.Future[str | None]
"""Why something is not delivered; None says that it is."""


class Line:
    """One instrument: how many leases want which depth, and what its feed delivers."""

    def __init__(self, instrument: Instrument, desk: "Desk") -> None:
        self.instrument = instrument
        self.desk = desk
        self.wants: Counter[int] = Counter()
        self.depth: int | None = None
        """None while nothing is delivered."""
        self.began_ns = 0

    @property
    def wanted(self) -> int | None:
        """Give the largest depth that is wanted; None where nobody wants any."""
        return max(self.wants, default=None)

    def has(self, depth: int) -> bool:
        """Tell whether so much is delivered."""
        return self.depth is not None and self.depth >= depth

    def release(self, depth: int) -> None:
        """Take one lease out of the count."""
        self.wants[depth] -= 1
        if not self.wants[depth]:
            del self.wants[depth]


class Desk:
    """Asks one feed for what is wanted, in batches, and for one batch after the other."""

    def __init__(
        self, feed: Feed, *, clock: Callable[[], int], settled: Callable[[Line], None]
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._settled = settled
        self._next: dict[InstrumentKey, tuple[Line, Answer]] = {}
        self._now: dict[InstrumentKey, tuple[Line, int | None, Answer]] = {}
        """What is being asked for, and its answer to come."""
        self._changed = asyncio.Event()
        self._ended = False

    @property
    def feed(self) -> str:
        """Name its feed."""
        return self._feed.name

    def is_about(self, key: InstrumentKey) -> bool:
        """Tell whether something is being changed for an instrument."""
        return key in self._now or key in self._next

    def change(self, line: Line) -> Answer:
        """Have that delivered of an instrument that is wanted; all who ask share the answer."""
        key = line.instrument.key
        if key in self._now:
            asked, depth, answer = self._now[key]
            if asked is line and depth == line.wanted:
                return answer
        if key in self._next:
            _, answer = self._next[key]
            self._next[key] = line, answer
            return answer
        answer = asyncio.get_running_loop().create_future()
        if self._ended:
            answer.set_result(ENDED)
        else:
            self._next[key] = line, answer
            self._changed.set()
        return answer

    async def run(self) -> None:
        """Ask until cancelled; then those who wait are refused, and so are later ones."""
        self._ended = False
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._carry_out()
        finally:
            self._ended = True
            for *_, answer in (*self._now.values(), *self._next.values()):
                if not answer.done():
                    answer.set_result(ENDED)
            self._now, self._next = {}, {}

    async def _carry_out(self) -> None:
        asked, self._next = self._next, {}
        self._now = {key: (line, line.wanted, answer) for key, (line, answer) in asked.items()}
        by_depth: dict[int | None, list[Line]] = {}
        for line, _ in asked.values():
            if line.wanted != line.depth:
                by_depth.setdefault(line.wanted, []).append(line)
        refused = await self._unsubscribe(by_depth.pop(None, ()))
        for depth, lines in by_depth.items():
            refused |= await self._subscribe(lines, depth or 0)
        self._now = {}
        for key, (line, answer) in asked.items():
            answer.set_result(refused.get(key))
            self._settled(line)

    async def _subscribe(self, lines: Sequence[Line], depth: int) -> dict[InstrumentKey, str]:
        began_ns = self._clock()
        instruments = [line.instrument for line in lines]
        refused = await self._call(self._feed.subscribe(instruments, depth), instruments)
        for line in lines:
            if line.instrument.key not in refused:
                line.began_ns = began_ns if line.depth is None else line.began_ns
                line.depth = depth
        return refused

    async def _unsubscribe(self, lines: Sequence[Line]) -> dict[InstrumentKey, str]:
        if not lines:
            return {}
        instruments = [line.instrument for line in lines]
        for line in lines:
            line.depth = None
        refused = await self._call(self._feed.unsubscribe(instruments), instruments)
        if refused:
            problem = next(iter(refused.values()))
            log.warning("unsubscribing failed", feed=self.feed, count=len(refused), error=problem)
        return refused

    async def _call(
        self, call: Awaitable[Refusals | None], instruments: Sequence[Instrument]
    ) -> dict[InstrumentKey, str]:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return dict(await call or {})
        except FeedError as error:
            problem = error.problem
        except TimeoutError:
            problem = SILENT
        except Exception:
            log.exception("a subscription failed", feed=self.feed)
            problem = BROKEN
        return dict.fromkeys((each.key for each in instruments), problem)
