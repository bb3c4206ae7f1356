import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError
from dashboard.core.feed_state import FeedState
from dashboard.core.model import Event, Price, Theo
from dashboard.feeds.base import Feed, Publish
from dashboard.feeds.catalogues import Catalogues
from dashboard.feeds.supervisor import (
    BACKOFF_CAP_S,
    BACKOFF_FIRST_S,
    FAILED_AFTER,
    SupervisedFeed,
    Supervisor,
    backoff_s,
)
from tests.unit.fake_feeds import FakeFeed, instrument
from tests.unit.fakes import SECOND_NS, Clock, price

FAIL = "fail"
END = "end"
GIVE_UP = "give up"
HANG = "hang"
EVENT = "event"


class ScriptedFeed(FakeFeed):
    """A feed that does one step of its script after the other, over all its runs."""

    def __init__(self, *script: str, name: str = "scripted") -> None:
        super().__init__(name)
        self.damaged = 0
        self.runs = 0
        self.cancelled = False
        self._script = iter(script)

    @property
    def skipped(self) -> int:
        return self.damaged

    async def run(self, publish: Publish) -> None:
        self.runs += 1
        for step in self._script:
            match step:
                case "event":
                    publish(price())
                case "fail":
                    raise ConnectionError("the line is cut")
                case "give up":
                    raise FeedError(feed=self.name, problem="bad key", terminal=True)
                case "end":
                    return
                case _:
                    await self._hang()

    async def _hang(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class WatchedFeed(ScriptedFeed):
    """A feed that knows when its source last gave a sign of life."""

    monitored = True

    def __init__(self, *script: str) -> None:
        super().__init__(*script)
        self.sign_ns: int | None = None

    @property
    def last_sign_ns(self) -> int | None:
        return self.sign_ns


class Naps:
    """A sleep that only notes for how long, and what the state was meanwhile."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.states: list[FeedState] = []
        self.state: Callable[[], FeedState] | None = None

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.state is not None:
            self.states.append(self.state())


def supervise(
    feed: ScriptedFeed, *, clock: Clock | None = None, publish: Publish = lambda _event: None
) -> SupervisedFeed:
    clock = clock or Clock()
    return SupervisedFeed(feed, publish=publish, clock=clock, monotonic=clock, stale_after_ms=2000)


async def run(supervised: SupervisedFeed, *, jitter: float = 1.0) -> Naps:
    naps = Naps()
    naps.state = lambda: supervised.status().state
    await supervised.run(sleep=naps, jitter=lambda: jitter)
    return naps


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_backoff_doubles_up_to_its_cap() -> None:
    waits = [backoff_s(failures, 1.0) for failures in range(1, 10)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


@given(failures=st.integers(1, 10**9), jitter=st.floats(0, 1))
def test_backoff_is_50_to_100_percent_of_its_ceiling(failures: int, jitter: float) -> None:
    ceiling = backoff_s(failures, 1.0)
    assert ceiling / 2 <= backoff_s(failures, jitter) <= ceiling
    assert backoff_s(failures, 0.0) == ceiling / 2
    assert BACKOFF_FIRST_S <= ceiling <= BACKOFF_CAP_S


def test_backoff_may_have_another_cap() -> None:
    assert [backoff_s(failures, 1.0, cap_s=2) for failures in (1, 4, 5, 99)] == [0.25, 2, 2, 2]


async def test_a_failed_feed_is_started_again_after_a_growing_wait() -> None:
    feed = ScriptedFeed(FAIL, FAIL, FAIL, FAIL, END)
    naps = await run(supervise(feed))
    assert naps.seconds == [0.25, 0.5, 1.0, 2.0]
    assert feed.runs == 5


async def test_the_wait_is_shortened_by_the_jitter() -> None:
    naps = await run(supervise(ScriptedFeed(FAIL, FAIL, END)), jitter=0.5)
    assert naps.seconds == [0.1875, 0.375]


async def test_an_event_alone_does_not_begin_the_backoff_anew() -> None:
    naps = await run(supervise(ScriptedFeed(FAIL, FAIL, EVENT, FAIL, EVENT, FAIL, END)))
    assert naps.seconds == [0.25, 0.5, 1.0, 2.0]
    assert set(naps.states) == {FeedState.STALE}


async def test_a_run_of_ten_seconds_begins_the_backoff_anew() -> None:
    clock = Clock()
    supervised = supervise(
        ScriptedFeed(FAIL, FAIL, FAIL, EVENT, FAIL, FAIL, END),
        clock=clock,
        publish=lambda _event: clock.advance(seconds=10),
    )
    assert (await run(supervised)).seconds == [0.25, 0.5, 1.0, 0.25, 0.5]


async def test_a_feed_counts_as_failed_after_five_failures_in_a_row() -> None:
    naps = await run(supervise(ScriptedFeed(*[FAIL] * 7, END)))
    stale = [FeedState.STALE] * (FAILED_AFTER - 1)
    assert naps.states == [*stale, FeedState.FAILED, FeedState.FAILED, FeedState.FAILED]
    assert FAILED_AFTER == 5


async def test_a_failed_feed_is_live_again_with_its_next_event() -> None:
    supervised = supervise(ScriptedFeed(*[FAIL] * 6, EVENT, HANG))
    task = asyncio.ensure_future(supervised.run(sleep=Naps()))
    await settle()
    assert supervised.status().state is FeedState.LIVE
    task.cancel()


async def test_a_feed_that_fails_is_stale_though_its_last_event_is_fresh() -> None:
    naps = await run(supervise(ScriptedFeed(EVENT, FAIL, END)))
    assert naps.states == [FeedState.STALE]


async def test_a_terminal_error_is_not_tried_again() -> None:
    feed = ScriptedFeed(EVENT, GIVE_UP, EVENT)
    supervised = supervise(feed)
    naps = await run(supervised)
    assert (feed.runs, naps.seconds) == (1, [])
    assert supervised.status().state is FeedState.FAILED
    assert supervised.status().events == 1


async def test_a_feed_error_that_is_not_terminal_is_tried_again() -> None:
    class Refusing(ScriptedFeed):
        async def run(self, publish: Publish) -> None:
            await super().run(publish)
            if self.runs < 3:
                raise FeedError(feed=self.name, problem="busy")

    feed = Refusing()
    supervised = supervise(feed)
    await run(supervised)
    assert feed.runs == 3
    assert supervised.status().state is FeedState.ENDED


async def test_a_feed_that_returns_has_ended() -> None:
    feed = ScriptedFeed(EVENT, END, EVENT)
    clock = Clock()
    supervised = supervise(feed, clock=clock)
    await run(supervised)
    clock.advance(seconds=3600)
    status = supervised.status()
    assert (feed.runs, status.state) == (1, FeedState.ENDED)
    assert (status.events, status.last_event_age_s) == (1, 3600.0)


def test_a_feed_without_an_event_is_stale_and_has_no_age() -> None:
    status = supervise(ScriptedFeed()).status()
    assert (status.state, status.last_event_age_s) == (FeedState.STALE, None)


@pytest.mark.parametrize(
    ("age_ms", "state"),
    [(0, FeedState.LIVE), (2000, FeedState.LIVE), (2001, FeedState.STALE), (-5, FeedState.LIVE)],
)
async def test_a_feed_goes_stale_with_the_age_of_its_last_event(
    age_ms: int, state: FeedState
) -> None:
    clock = Clock()
    supervised = supervise(ScriptedFeed(EVENT, HANG), clock=clock)
    task = asyncio.ensure_future(supervised.run())
    await settle()
    clock.advance(ms=age_ms)
    status = supervised.status()
    assert (status.state, status.last_event_age_s) == (state, age_ms / 1000)
    task.cancel()


async def test_a_replay_is_replayed_and_its_silence_is_no_staleness() -> None:
    clock = Clock()
    feed = ScriptedFeed(EVENT, HANG)
    feed.flowing_state = FeedState.REPLAYED
    supervised = supervise(feed, clock=clock)
    assert supervised.status().state is FeedState.STALE
    task = asyncio.ensure_future(supervised.run())
    await settle()
    clock.advance(seconds=3600)
    assert supervised.status().state is FeedState.REPLAYED
    task.cancel()


def test_a_quiet_feed_is_live_while_its_source_gives_signs_of_life() -> None:
    clock = Clock()
    feed = WatchedFeed()
    supervised = supervise(feed, clock=clock)
    assert supervised.status().state is FeedState.STALE
    feed.sign_ns = clock()
    assert supervised.status().state is FeedState.LIVE
    clock.advance(ms=2000)
    assert supervised.status().state is FeedState.LIVE
    clock.advance(ms=1)
    assert supervised.status().state is FeedState.STALE
    feed.sign_ns = clock()
    assert supervised.status().state is FeedState.LIVE
    assert supervised.status().last_event_age_s is None


async def test_a_source_that_is_known_to_be_gone_is_stale_at_once() -> None:
    feed = WatchedFeed(EVENT, END)
    clock = Clock()
    feed.sign_ns = clock()
    states: list[FeedState] = []

    def look(_event: object) -> None:
        states.append(supervised.status().state)
        feed.sign_ns = None
        states.append(supervised.status().state)

    supervised = supervise(feed, clock=clock, publish=look)
    await run(supervised)
    assert states == [FeedState.LIVE, FeedState.STALE]


async def test_a_watched_feed_that_fails_is_stale_whatever_its_source_says() -> None:
    feed = WatchedFeed(EVENT, FAIL, END)
    feed.sign_ns = Clock()()
    assert (await run(supervise(feed))).states == [FeedState.STALE]


async def test_every_event_is_published_and_counted() -> None:
    received: list[Event] = []
    supervised = supervise(ScriptedFeed(EVENT, EVENT, FAIL, EVENT, END), publish=received.append)
    await run(supervised)
    assert received == [price()] * 3
    assert supervised.status().events == 3


def test_status_carries_the_counters_of_the_feed() -> None:
    feed = ScriptedFeed()
    supervised = supervise(feed)
    feed.gaps, feed.damaged = 3, 4
    status = supervised.status()
    assert (status.gaps, status.skipped, status.events) == (3, 4, 0)


async def test_cancelling_passes_through_to_the_feed() -> None:
    feed = ScriptedFeed(HANG)
    task = asyncio.ensure_future(supervise(feed).run())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert feed.cancelled
    assert feed.runs == 1


async def test_cancelling_ends_the_wait_before_the_next_try() -> None:
    waiting = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    feed = ScriptedFeed(FAIL, EVENT)
    task = asyncio.ensure_future(supervise(feed).run(sleep=sleep))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert feed.runs == 1


class TellingFeed(ScriptedFeed):
    """A feed whose source gives these times, one event each."""

    def __init__(self, *times: int) -> None:
        super().__init__(name="telling")
        self._times = times

    async def run(self, publish: Publish) -> None:
        for ts in self._times:
            publish(price(ts=ts))


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    "time",
    [
        utc("0001-01-01T00:00:00+00:00"),
        utc("9999-12-31T23:59:59+00:00"),
        utc("2200-01-01T00:00:00+00:00") + 1,
        -1,
        Clock().now + 5 * SECOND_NS + 1,
        Clock().now + 3600 * SECOND_NS,
        -(2**80),
        2**80,
    ],
)
async def test_an_impossible_time_is_replaced_by_that_of_the_receipt_and_counted(time: int) -> None:
    received: list[Event] = []
    supervised = supervise(TellingFeed(time), publish=received.append)
    with capture_logs() as logs:
        await supervised.run()
    assert received == [price(ts=Clock().now)]
    assert supervised.clock_skew == 1
    assert [each["feed"] for each in logs if each["log_level"] == "warning"] == ["telling"]


async def test_times_within_the_bounds_are_the_sources() -> None:
    now = Clock().now
    times = (0, 1, now - 86_400 * SECOND_NS, now - 1, now, now + 5 * SECOND_NS)
    received: list[Event] = []
    supervised = supervise(TellingFeed(*times), publish=received.append)
    await supervised.run()
    assert [event.ts_event for event in received] == list(times)
    assert supervised.clock_skew == 0


async def test_of_many_impossible_times_only_the_first_is_logged() -> None:
    received: list[Event] = []
    supervisor = oversee(TellingFeed(*[-1] * 50), publish=received.append)
    with capture_logs() as logs:
        await supervisor.run()
    assert supervisor.clock_skew() == {"telling": 50}
    assert {event.ts_event for event in received} == {Clock().now}
    assert len([each for each in logs if each["log_level"] == "warning"]) == 1


async def test_a_wall_clock_that_is_set_says_nothing_about_a_feed() -> None:
    wall, monotonic = Clock(), Clock(5 * SECOND_NS)
    supervised = SupervisedFeed(
        ScriptedFeed(EVENT, HANG),
        publish=lambda _event: None,
        clock=wall,
        monotonic=monotonic,
        stale_after_ms=2000,
    )
    task = asyncio.ensure_future(supervised.run())
    await settle()
    for step_s in (-7200, 7200 * 2):
        wall.advance(seconds=step_s)
        monotonic.advance(ms=500)
        status = supervised.status()
        assert status.state is FeedState.LIVE
    assert status.last_event_age_s == 1.0
    task.cancel()


def oversee(*feeds: Feed, publish: Publish = lambda _event: None) -> Supervisor:
    clock = Clock()
    return Supervisor(feeds, publish=publish, clock=clock, monotonic=clock, stale_after_ms=2000)


async def test_the_failure_of_one_feed_does_not_touch_another() -> None:
    terminal = ScriptedFeed(GIVE_UP, name="terminal")
    failing = ScriptedFeed(FAIL, name="failing")
    ended = ScriptedFeed(EVENT, END, name="ended")
    healthy = ScriptedFeed(EVENT, EVENT, HANG, name="healthy")
    supervisor = oversee(terminal, failing, ended, healthy)
    task = asyncio.ensure_future(supervisor.run())
    await settle()
    states = {name: status.state for name, status in supervisor.status().items()}
    assert states == {
        "terminal": FeedState.FAILED,
        "failing": FeedState.STALE,
        "ended": FeedState.ENDED,
        "healthy": FeedState.LIVE,
    }
    assert not task.done()
    assert not healthy.cancelled
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert healthy.cancelled


async def test_the_supervisor_returns_when_every_feed_has_ended() -> None:
    received: list[Event] = []
    feeds = [
        ScriptedFeed(EVENT, END, name="one"),
        ScriptedFeed(EVENT, GIVE_UP, name="two"),
    ]
    await oversee(*feeds, publish=received.append).run()
    assert len(received) == 2


def test_the_feeds_keep_their_order() -> None:
    feeds = [ScriptedFeed(name=name) for name in "cab"]
    supervisor = oversee(*feeds)
    assert supervisor.feeds == feeds
    assert list(supervisor.status()) == ["c", "a", "b"]


async def test_a_feed_is_told_of_when_it_is_run_again_and_a_failure_of_that_is_the_feeds() -> None:
    told: list[tuple[str, int]] = []
    feed = ScriptedFeed(FAIL, FAIL, HANG)

    async def restarted(name: str) -> None:
        told.append((name, feed.runs))

    clock = Clock()
    supervised = SupervisedFeed(
        feed, publish=lambda _: None, clock=clock, stale_after_ms=2000, restarted=restarted
    )
    task = asyncio.ensure_future(supervised.run(sleep=Naps()))
    await settle()
    task.cancel()
    assert told == [("scripted", 1), ("scripted", 2)]


class NamedFeed(FakeFeed):
    """A feed that says a price and a theoretical one of each instrument it has."""

    async def run(self, publish: Publish) -> None:
        for each in (*self.standing, *self.demanded):
            publish(price(each.symbol, exchange=each.exchange))
            publish(Theo(underlying=each.symbol, exchange=each.exchange, price=1, ts_event=0))


async def test_of_two_feeds_with_one_id_the_first_serves_it() -> None:
    apple, tesla, reliance = map(instrument, ("NASDAQ:AAPL", "NASDAQ:TSLA", "NSE:RELIANCE"))
    feeds = [
        NamedFeed("simulator", [apple], [reliance]),
        NamedFeed("redis", [tesla, apple, reliance]),
    ]
    received: list[Event] = []
    supervisor = oversee(*feeds, publish=received.append)
    directory = Catalogues(feeds, changed=_nothing).directory
    with capture_logs() as logs:
        supervisor.follow_directory(directory)
    (line,) = logs
    assert (line["dropped"], line["such_as"]) == ({"redis": 2}, "NASDAQ:AAPL")
    await supervisor.run()
    assert supervisor.shadowed() == {"simulator": 0, "redis": 2}
    prices = [each.symbol for each in received if isinstance(each, Price)]
    assert sorted(prices) == ["AAPL", "RELIANCE", "TSLA"]
    assert len(received) - len(prices) == 5
    assert supervisor.status()["redis"].events == 6


async def test_feeds_that_share_nothing_are_not_looked_at_and_the_start_says_nothing() -> None:
    feeds = [NamedFeed("one", [instrument("A:X")]), NamedFeed("two", [instrument("A:Y")])]
    received: list[Event] = []
    supervisor = oversee(*feeds, publish=received.append)
    with capture_logs() as logs:
        supervisor.follow_directory(Catalogues(feeds, changed=_nothing).directory)
        assert not logs
    await supervisor.run()
    assert len(received) == 4


async def _nothing(_directory: Directory) -> None: ...
