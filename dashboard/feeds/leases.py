"""Who wants which instruments: the leases of `core.leases`, kept for all feeds.

Of several leases on an instrument the deepest is what its feed is asked for.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import structlog

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument, InstrumentKey, Sent
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import Kind, Topic
from dashboard.feeds.base import Feed, Refusals
from dashboard.feeds.subscriptions import Answer, Desk, Line
from dashboard.hub.hub import Hub

log = structlog.get_logger(__name__)

NS_PER_S = 1_000_000_000
GRACE_NS = 10 * NS_PER_S
"""How long an ended lease is counted still: pages are loaded again, clients reconnect."""
LOAN_NS = 60 * NS_PER_S
FIRST_VALUE_NS = 2 * NS_PER_S
"""How long after a subscription began a loan waits for its first value."""
TICK_S = 1.0
STANDING, REST = "standing", "rest"
"""In whose name the product itself leases, and lends."""
PRICED = (Kind.PRICE, Kind.TRADE, Kind.QUOTE)
UNKNOWN = "no feed has it"


class _Lingering(NamedTuple):
    """A lease that has ended and is counted still."""

    until_ns: int
    key: InstrumentKey
    depth: int


class _Asked(NamedTuple):
    """What a holder waits for, and what it held before."""

    line: Line
    answer: Answer
    before: int | None
    depth: int


class FeedLeases:
    """All leases of one process.

    They are answered while `run` runs. `directory` gives the newest one, `clock` is
    monotonic, in ns.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        *,
        directory: Callable[[], Directory],
        hub: Hub,
        clock: Callable[[], int],
    ) -> None:
        self.held: Counter[str] = Counter()
        """The number of leases by the name of who holds them."""
        self._directory = directory
        self._hub = hub
        self._clock = clock
        self._lines: dict[InstrumentKey, Line] = {}
        self._lingering: deque[_Lingering] = deque()
        self._desks = {feed.name: Desk(feed, clock=clock, settled=self._settle) for feed in feeds}
        self._standing = self.holder(STANDING)
        self._loans = self.holder(REST)
        self._lent_until: OrderedDict[InstrumentKey, int] = OrderedDict()

    def holder(self, name: str) -> "LeaseHolder":
        """Begin with no lease; see `core.leases`."""
        return LeaseHolder(self, name)

    @asynccontextmanager
    async def lease(
        self, instrument: Instrument, *, name: str, depth: int = 0
    ) -> AsyncGenerator[None]:
        """Hold one instrument for as long as a block lasts.

        Raises:
            FeedError: on entering, when its feed refuses it.
        """
        holder = self.holder(name)
        try:
            await self._hold(holder, instrument, depth)
            yield
        finally:
            holder.close()

    async def lend(self, instrument: Instrument, *, depth: int = 0) -> None:
        """Hold one for 60 s from now, and wait up to 2 s for its first value.

        Raises:
            FeedError: when its feed refuses it.
        """
        key = instrument.key
        self._lent_until[key] = self._clock() + LOAN_NS
        self._lent_until.move_to_end(key)
        await self._hold(self._loans, instrument, depth)
        line = self._lines.get(key)
        if line is not None:
            await self._first_value(line, depth)

    async def run(self, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Lease the standing instruments, and answer all who ask, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, desk in self._desks.items():
                group.create_task(desk.run(), name=f"subscriptions of {name}")
            await self.follow_directory()
            while True:
                await sleep(TICK_S)
                self.expire()

    async def follow_directory(self) -> None:
        """Lease what is standing now and no longer what was, each from the feed that serves it."""
        directory = self._directory()
        for line in list(self._lines.values()):
            feed = directory.feed_of(line.instrument.key)
            if feed is not None and feed != line.desk.feed:
                self._move(line, self._desks[feed])
        standing = {each.key for each in directory.standing}
        self._standing.drop([key for key in self._standing.depths if key not in standing])
        _log_refused(await self._standing.add(directory.standing, depth=WHOLE_BOOK))

    async def renew(self, feed: str) -> None:
        """Subscribe again to all that is wanted of a feed that is started again."""
        answers: dict[InstrumentKey, Answer] = {}
        for key, line in self._lines.items():
            if line.desk.feed == feed and line.depth is not None:
                line.depth = None
                answers[key] = line.desk.change(line)
        if answers:
            await asyncio.wait(answers.values())
        problems = {key: answer.result() for key, answer in answers.items()}
        _log_refused({key: problem for key, problem in problems.items() if problem is not None})

    def expire(self) -> None:
        """End what has come to its end: loans, and the grace time of ended leases."""
        now = self._clock()
        while self._lent_until and next(iter(self._lent_until.values())) <= now:
            key, _ = self._lent_until.popitem(last=False)
            self.lower(self._loans, key, None)
        while self._lingering and self._lingering[0].until_ns <= now:
            _, key, depth = self._lingering.popleft()
            line = self._lines[key]
            line.release(depth)
            self._settle(line)

    async def take(
        self, holder: "LeaseHolder", wanted: Iterable[tuple[Instrument, int]]
    ) -> Refusals:
        """Lease instruments for a holder, each with its depth; see `LeaseHolder.add`."""
        refused: dict[InstrumentKey, str] = {}
        asked: dict[InstrumentKey, _Asked] = {}
        for each, depth in wanted:
            line = self._line(each)
            if line is None:
                refused[each.key] = UNKNOWN
                continue
            held = holder.depths.get(each.key)
            if held is None or held < depth:
                self._hold_at(holder, line, depth)
            if not line.has(depth):
                asked[each.key] = _Asked(line, line.desk.change(line), held, depth)
        while asked:
            try:
                await asyncio.wait([each.answer for each in asked.values()])
            except asyncio.CancelledError:
                self._withdraw(holder, asked)
                raise
            moved = {key: each for key, each in asked.items() if self._has_moved(key, each.line)}
            refused |= self._refuse(holder, {k: v for k, v in asked.items() if k not in moved})
            asked = {key: self._ask_again(key, each) for key, each in moved.items()}
        return refused

    def lower(self, holder: "LeaseHolder", key: InstrumentKey, depth: int | None) -> None:
        """Let a holder have no more than this of an instrument, or nothing of it at all."""
        held, line = holder.depths.get(key), self._lines.get(key)
        if held is not None and line is not None and (depth is None or depth < held):
            self._hold_at(holder, line, depth)

    def _line(self, instrument: Instrument) -> Line | None:
        """Give what is known of an instrument; None where no feed has it."""
        key = instrument.key
        line = self._lines.get(key)
        if line is None and (feed := self._directory().feed_of(key)) is not None:
            line = self._lines[key] = Line(instrument, self._desks[feed])
        return line

    def _hold_at(self, holder: "LeaseHolder", line: Line, depth: int | None) -> None:
        """Let a holder have a lease of this depth in place of what it has; None ends it."""
        key = line.instrument.key
        held = holder.depths.pop(key, None)
        if depth is not None:
            holder.depths[key] = depth
            line.wants[depth] += 1
        self.held[holder.name] += (depth is not None) - (held is not None)
        if held is None:
            return
        line.release(held)
        if line.has(held) and (line.wanted is None or line.wanted < held):
            line.wants[held] += 1
            self._lingering.append(_Lingering(self._clock() + GRACE_NS, key, held))
        else:
            self._settle(line)

    def _has_moved(self, key: InstrumentKey, line: Line) -> bool:
        return self._lines.get(key, line) is not line

    def _ask_again(self, key: InstrumentKey, asked: _Asked) -> _Asked:
        """Wait for the feed that an instrument was moved to meanwhile."""
        line = self._lines[key]
        return asked._replace(line=line, answer=line.desk.change(line))

    def _withdraw(self, holder: "LeaseHolder", asked: Mapping[InstrumentKey, _Asked]) -> None:
        """Give a holder that does not wait for the answer what it had before."""
        for key, each in asked.items():
            if holder.depths.get(key) == each.depth != each.before:
                self._hold_at(holder, self._lines[key], each.before)

    def _refuse(
        self, holder: "LeaseHolder", asked: Mapping[InstrumentKey, _Asked]
    ) -> dict[InstrumentKey, str]:
        """End the leases that were refused; what was held before stays if it is delivered."""
        refused: dict[InstrumentKey, str] = {}
        for key, (line, answer, before, _) in asked.items():
            if (problem := answer.result()) is None:
                continue
            refused[key] = problem
            held = holder.depths.get(key)
            if held is not None and not line.has(held):
                kept = before if before is not None and line.has(before) else None
                self._hold_at(holder, line, kept)
        return refused

    def _settle(self, line: Line) -> None:
        """Have less delivered where less is wanted; forget an instrument that is not wanted."""
        key = line.instrument.key
        wanted = line.wanted
        if line.depth is not None:
            if wanted is None or wanted < line.depth:
                line.desk.change(line)
        elif wanted is None and not line.desk.is_about(key) and self._lines.get(key) is line:
            del self._lines[key]

    def _move(self, line: Line, desk: Desk) -> None:
        """Have an instrument from another feed; what its former one is asked for it ends itself."""
        moved = self._lines[line.instrument.key] = Line(line.instrument, desk)
        moved.wants, line.wants = line.wants, moved.wants
        self._settle(line)
        desk.change(moved)

    async def _hold(self, holder: "LeaseHolder", instrument: Instrument, depth: int) -> None:
        for problem in (await holder.add([instrument], depth=depth)).values():
            feed = self._directory().feed_of(instrument.key) or ""
            raise FeedError(feed=feed, problem=problem)

    async def _first_value(self, line: Line, depth: int) -> None:
        """Wait until something has come since the subscription began, a book where one may."""
        exchange, symbol = line.instrument.key
        kinds = (
            (Kind.BOOK,) if depth and Sent.BOOK in line.instrument.sends else (*PRICED, Kind.BOOK)
        )
        topics = {Topic(kind, exchange, symbol) for kind in kinds}
        latest = (self._hub.latest_of(topic) for topic in topics)
        if any(each and each.monotonic_ns >= line.began_ns for each in latest):
            return
        wait_ns = line.began_ns + FIRST_VALUE_NS - self._clock()
        if wait_ns <= 0:
            return
        subscription = self._hub.subscribe(
            name=REST, wants=topics.__contains__, capacity=1, policy=OverflowPolicy.DROP_OLDEST
        )
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_ns / NS_PER_S):
                    await subscription.ready()
        finally:
            subscription.close()


class LeaseHolder:
    """All leases of one page, client or runner; see `core.leases`."""

    def __init__(self, leases: FeedLeases, name: str) -> None:
        self.name = name
        self.depths: dict[InstrumentKey, int] = {}
        """What it holds, with the depth of each."""
        self._leases = leases
        self._closed = False

    async def add(self, instruments: Sequence[Instrument], *, depth: int = 0) -> Refusals:
        """Lease instruments; give those that were refused, with the feed's reason."""
        return await self.add_each([(each, depth) for each in instruments])

    async def add_each(self, wanted: Sequence[tuple[Instrument, int]]) -> Refusals:
        """Lease instruments, each with its depth, beside what is held."""
        return {} if self._closed else await self._leases.take(self, wanted)

    async def replace(self, wanted: Sequence[tuple[Instrument, int]]) -> Refusals:
        """Lease instruments, each with its depth, in place of all that is held."""
        if self._closed:
            return {}
        depths = {each.key: depth for each, depth in wanted}
        for key in list(self.depths):
            self._leases.lower(self, key, depths.get(key))
        return await self._leases.take(self, wanted)

    def lower(self, key: InstrumentKey, depth: int) -> None:
        """Want no more levels of an instrument's book than this; if it is held, it stays so."""
        self._leases.lower(self, key, depth)

    def drop(self, keys: Iterable[InstrumentKey]) -> None:
        """End leases; of one that is not held nothing is left to end."""
        for key in keys:
            self._leases.lower(self, key, None)

    def close(self) -> None:
        """End all of them. Safe to call twice."""
        self._closed = True
        self.drop(list(self.depths))


def _log_refused(refused: Refusals) -> None:
    for (exchange, symbol), problem in refused.items():
        log.warning("instrument refused", instrument=f"{exchange}:{symbol}", error=problem)
