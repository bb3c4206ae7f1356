"""Run feeds, start a failed one again, check their times, and know how each of them stands."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from dashboard.core.clocks import EARLIEST_NS, MAX_AHEAD_NS
from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError
from dashboard.core.feed_state import FeedState, FeedStatus
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Event, MarketEvent
from dashboard.feeds.base import Feed, Publish

log = structlog.get_logger(__name__)

BACKOFF_FIRST_S = 0.25
BACKOFF_CAP_S = 30.0
FAILED_AFTER = 5
"""Failures in a row, with no event between them, after which a feed counts as failed."""
HEALTHY_NS = 10 * 1_000_000_000
"""A run of this length is a success: the backoff begins anew after it."""

Restarted = Callable[[str], Awaitable[None]]
"""Is told the name of a feed that failed, just before it is run again."""


class LastEvent(NamedTuple):
    """When a feed's newest event came, by our wall clock, and its newest time of the source's."""

    received_ns: int
    ts_event: int


def backoff_s(failures: int, jitter: float, *, cap_s: float = BACKOFF_CAP_S) -> float:
    """Give the wait before the next try: doubled per failure, capped, then 50 to 100 % of it.

    `failures` counts from 1; `jitter` is uniform in 0..1.
    """
    ceiling = min(cap_s, BACKOFF_FIRST_S * 2 ** min(failures - 1, 16))
    return ceiling * (0.5 + jitter / 2)


class SupervisedFeed:
    """One feed under supervision: its counters, its state, its restarts.

    Every event of the feed passes here: what its source gives as its time is believed
    within the bounds of `core.clocks` and replaced by the time received beyond
    them, which `clock_skew` counts. Those of instruments that another feed serves are
    dropped, which `shadowed` counts. `clock` gives ns since the Unix epoch, `monotonic`
    ns of a clock that is never set: without it, `clock` must be such a one.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        publish: Publish,
        clock: Callable[[], int],
        stale_after_ms: int,
        monotonic: Callable[[], int] | None = None,
        restarted: Restarted | None = None,
    ) -> None:
        self.feed = feed
        self.clock_skew = 0
        self.shadowed = 0
        self._publish = self._pass_on = publish
        self._served_elsewhere: frozenset[InstrumentKey] = frozenset()
        self._restarted = restarted
        self._clock = clock
        self._monotonic = monotonic or clock
        self._stale_after_ns = stale_after_ms * 1_000_000
        self._events = 0
        self._last_event_ns: int | None = None
        self._received_ns: int | None = None
        self._newest_ts = 0
        self._failures = 0
        self._failures_since_event = 0
        self._finished: FeedState | None = None

    def shadow(self, instruments: frozenset[InstrumentKey]) -> None:
        """Drop from now on what the feed says of these instruments."""
        self._served_elsewhere = instruments
        self._pass_on = self._pass_unshadowed if instruments else self._publish

    @property
    def last_event(self) -> LastEvent | None:
        """Tell when the newest event came, and up to when the feed has told."""
        if self._received_ns is None:
            return None
        return LastEvent(self._received_ns, self._newest_ts)

    def status(self) -> FeedStatus:
        """Tell how the feed stands now."""
        age_ns = self._age_ns(self._last_event_ns)
        return FeedStatus(
            state=self._state(age_ns),
            last_event_age_s=None if age_ns is None else age_ns / 1e9,
            events=self._events,
            gaps=self.feed.gaps,
            skipped=self.feed.skipped,
        )

    async def run(
        self,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Run the feed until it ends for good; start it again after each failure."""
        name = self.feed.name
        while True:
            began_ns = self._monotonic()
            try:
                await self.feed.run(self._receive)
            except Exception as error:  # whatever a feed raises must not end the others
                if self._monotonic() - began_ns >= HEALTHY_NS:
                    self._failures = 0
                self._failures += 1
                self._failures_since_event += 1
                if isinstance(error, FeedError) and error.terminal:
                    self._finished = FeedState.FAILED
                    log.error("feed failed for good", feed=name, error=str(error))
                    return
                wait_s = backoff_s(self._failures, jitter())
                log.warning(
                    "feed failed, starting it again",
                    feed=name,
                    failures=self._failures,
                    wait_s=round(wait_s, 3),
                    exc_info=error,
                )
                await sleep(wait_s)
                if self._restarted is not None:
                    await self._restarted(name)
            else:
                self._finished = FeedState.ENDED
                log.info("feed ended", feed=name, events=self._events)
                return

    def _receive(self, event: Event) -> None:
        self._events += 1
        self._failures_since_event = 0
        self._last_event_ns = self._monotonic()
        self._received_ns = now = self._clock()
        ts_event = event.ts_event
        if ts_event < EARLIEST_NS or ts_event - now > MAX_AHEAD_NS:
            event = self._stamped(event, now)
            ts_event = now
        if ts_event > self._newest_ts or self._newest_ts - now > MAX_AHEAD_NS:
            self._newest_ts = ts_event
        self._pass_on(event)

    def _pass_unshadowed(self, event: Event) -> None:
        """Publish what no other feed serves; only a feed with something to drop pays for it."""
        if (
            isinstance(event, MarketEvent)
            and (event.exchange, event.symbol) in self._served_elsewhere
        ):
            self.shadowed += 1
        else:
            self._publish(event)

    def _stamped(self, event: Event, now: int) -> Event:
        """Replace an impossible time by that of the receipt; the first of the feed is logged."""
        self.clock_skew += 1
        if self.clock_skew == 1:
            log.warning(
                "the source's time is impossible, the time received stands in; "
                "further ones are only counted",
                feed=self.feed.name,
                topic=":".join(event.topic),
                ahead_s=(event.ts_event - now) / 1e9,
            )
        return msgspec.structs.replace(event, ts_event=now)

    def _state(self, age_ns: int | None) -> FeedState:
        if self._finished is not None:
            return self._finished
        if self._failures_since_event >= FAILED_AFTER:
            return FeedState.FAILED
        if self._failures_since_event:
            return FeedState.STALE
        if self.feed.monitored:
            age_ns = self._age_ns(self.feed.last_sign_ns)
        if age_ns is None:
            return FeedState.STALE
        flowing = self.feed.flowing_state
        if flowing is FeedState.LIVE and age_ns > self._stale_after_ns:
            return FeedState.STALE
        return flowing

    def _age_ns(self, moment_ns: int | None) -> int | None:
        return None if moment_ns is None else self._monotonic() - moment_ns


class Supervisor:
    """Run every feed in one task group; for the clocks see `SupervisedFeed`."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        *,
        publish: Publish,
        clock: Callable[[], int],
        stale_after_ms: int,
        monotonic: Callable[[], int] | None = None,
        restarted: Restarted | None = None,
    ) -> None:
        self._supervised = {
            feed.name: SupervisedFeed(
                feed,
                publish=publish,
                clock=clock,
                stale_after_ms=stale_after_ms,
                monotonic=monotonic,
                restarted=restarted,
            )
            for feed in feeds
        }

    @property
    def feeds(self) -> list[Feed]:
        """Give the feeds, in the order of the settings."""
        return [each.feed for each in self._supervised.values()]

    def status(self) -> dict[str, FeedStatus]:
        """Tell how each feed stands now, by name."""
        return {name: each.status() for name, each in self._supervised.items()}

    def last_events(self) -> dict[str, LastEvent | None]:
        """Tell of each feed's newest event, by name; None before the first."""
        return {name: each.last_event for name, each in self._supervised.items()}

    def clock_skew(self) -> dict[str, int]:
        """Count the impossible times of each feed that were replaced, by name."""
        return {name: each.clock_skew for name, each in self._supervised.items()}

    def shadowed(self) -> dict[str, int]:
        """Count the events of each feed that were dropped for another's, by name."""
        return {name: each.shadowed for name, each in self._supervised.items()}

    def follow_directory(self, directory: Directory) -> None:
        """Let each instrument come from the feed alone that serves it; say which do not."""
        for name, each in self._supervised.items():
            each.shadow(directory.shadowed.get(name, frozenset()))
        if directory.shadowed:
            log.warning(
                "several feeds have the same instruments, the first of them serves each",
                dropped={name: len(keys) for name, keys in directory.shadowed.items()},
                such_as=":".join(min(min(directory.shadowed.values(), key=min))),
            )

    async def run(self) -> None:
        """Run until every feed has ended, or until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, each in self._supervised.items():
                group.create_task(each.run(), name=f"feed {name}")
