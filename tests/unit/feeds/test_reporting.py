"""What is told of the feeds, as they change."""

import pytest

from dashboard.core.feed_state import FeedState
from dashboard.core.model import Event
from dashboard.core.reports import FeedReport
from dashboard.feeds.reporting import KEPT_SILENCES, LOOK_S, Reporter
from dashboard.feeds.supervisor import Supervisor
from tests.unit.fake_feeds import FakeFeed
from tests.unit.fakes import MS_NS, SECOND_NS, Clock, price
from tests.unit.ui.fake_product import FakeReplay

STALE_MS = 2000
SOURCE_BEHIND_NS = 700 * MS_NS
"""How far the source's clock is behind ours."""


class World:
    """A feed, its supervisor and who tells of it, on one clock."""

    def __init__(self, feed: FakeFeed) -> None:
        self.feed = feed
        self.clock = Clock()
        self.told: list[FeedReport] = []
        supervisor = Supervisor(
            [feed], publish=lambda _: None, clock=self.clock, stale_after_ms=STALE_MS
        )
        self.supervised = supervisor._supervised[feed.name]
        self.reporter = Reporter(
            supervisor, publish=self._hear, clock=self.clock, monotonic=self.clock
        )

    def _hear(self, event: Event) -> None:
        assert isinstance(event, FeedReport)
        self.told.append(event)

    def say(self) -> int:
        """Let the feed say something; give when it did."""
        self.supervised._receive(price(ts=self.clock.now - SOURCE_BEHIND_NS))
        return self.clock.now

    def look(self, *, after_s: float = LOOK_S) -> FeedReport:
        self.clock.advance(seconds=after_s)
        self.reporter.look()
        return self.told[-1]


@pytest.fixture
def world() -> World:
    return World(FakeFeed("source"))


def test_a_feed_is_told_of_once_a_second_and_at_once_when_its_state_changes(world: World) -> None:
    world.look()
    for _ in range(9):
        world.look()
    assert len(world.told) == 1
    world.say()
    assert world.look().status.state is FeedState.LIVE
    assert len(world.told) == 2
    for _ in range(10):
        world.look()
    assert len(world.told) == 3


def test_it_is_told_when_the_newest_event_came(world: World) -> None:
    assert world.look().last_event_ns is None
    said_ns = world.say()
    assert world.look(after_s=1).last_event_ns == said_ns
    assert world.look(after_s=60).last_event_ns == said_ns


def test_a_silence_begins_with_the_last_event_by_the_clock_of_its_source(world: World) -> None:
    assert world.look().silences == ()
    first_ns = world.say() - SOURCE_BEHIND_NS
    assert world.look(after_s=1).silences == (), "it may go on"
    assert world.look(after_s=STALE_MS / 1000).silences == (first_ns,)
    assert world.look(after_s=1).silences == (first_ns,)
    second_ns = world.say() - SOURCE_BEHIND_NS
    assert world.look(after_s=1).silences == (first_ns,), "it is over, and is told all the same"
    assert world.look(after_s=60).silences == (first_ns, second_ns)


def test_the_newest_silences_are_kept(world: World) -> None:
    begun = []
    for _ in range(KEPT_SILENCES + 3):
        begun.append(world.say() - SOURCE_BEHIND_NS)
        world.look(after_s=60)
    assert world.told[-1].silences == tuple(begun[-KEPT_SILENCES:])


def test_a_late_event_does_not_begin_a_silence_before_those_that_came_before(world: World) -> None:
    newest_ns = world.say() - SOURCE_BEHIND_NS
    world.supervised._receive(price(ts=newest_ns - 5 * SECOND_NS))
    assert world.look(after_s=60).silences == (newest_ns,)


def test_a_source_that_was_ahead_does_not_begin_silences_there(world: World) -> None:
    world.say()
    world.clock.advance(seconds=-3600)
    said_ns = world.say() - SOURCE_BEHIND_NS
    assert world.look(after_s=60).silences == (said_ns,)


def test_a_replay_is_told_of_at_once_when_it_plays_otherwise() -> None:
    replay = FakeReplay()
    world = World(replay)
    played = world.look().playback
    assert played is not None
    assert (played.began_ns, played.stretches) == (replay.began_ns, tuple(replay.stretches))
    world.look()
    assert len(world.told) == 1
    replay.set_speed(5)
    world.look()
    assert len(world.told) == 2
    assert world.told[-1].playback is not None
    assert world.told[-1].playback.stretches[-1].pace == 5
