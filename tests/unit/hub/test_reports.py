"""How the feeds stand and what they have, read from the hub alone."""

import pytest

from dashboard.core.directory import Catalogue
from dashboard.core.feed_state import FeedState, FeedStatus
from dashboard.core.model import Published
from dashboard.core.reports import FeedCatalogue, FeedReport
from dashboard.hub.hub import Hub
from dashboard.hub.reports import FeedReports
from tests.unit.fake_feeds import instrument
from tests.unit.fakes import Clock, price

STATUS = FeedStatus(state=FeedState.LIVE, last_event_age_s=0.5, events=3, gaps=0, skipped=0)


class World:
    """A hub, what is read from it, and what its feeds tell."""

    def __init__(self, *feeds: str) -> None:
        self.clock = Clock()
        self.hub = Hub(epoch="e", clock=self.clock, resume_events=10)
        self.reports = FeedReports(self.hub, feeds, monotonic=self.clock)

    def lists(self, feed: str, *ids: str, paced: bool = False) -> None:
        catalogue = Catalogue(feed=feed, standing=[instrument(each) for each in ids])
        self.hub.publish(FeedCatalogue(catalogue=catalogue, paced=paced, ts_event=0))

    def stands(self, feed: str, status: FeedStatus = STATUS) -> Published:
        return self.hub.publish(FeedReport(feed=feed, status=status, ts_event=0))


def test_a_feed_that_was_not_told_of_is_stale() -> None:
    world = World("a")
    assert world.reports.status()["a"].state is FeedState.STALE


def test_feeds_come_in_the_order_of_the_settings_whoever_is_told_of_first() -> None:
    world = World("b", "a")
    for name in ("a", "b"):
        world.lists(name, f"X:{name}", "X:both")
        world.stands(name)
    assert list(world.reports.status()) == ["b", "a"]
    assert [each.symbol for each in world.reports.directory.standing] == ["b", "both", "a"]


def test_a_report_grows_old_and_one_that_nothing_follows_is_stale() -> None:
    world = World("a")
    world.stands("a")
    world.clock.advance(seconds=3)
    assert world.reports.status()["a"].last_event_age_s == pytest.approx(3.5)
    assert world.reports.status()["a"].state is FeedState.LIVE
    world.clock.advance(ms=1)
    assert world.reports.status()["a"].state is FeedState.STALE
    world.stands("a")
    assert world.reports.status()["a"].state is FeedState.LIVE


def test_a_feed_that_has_ended_stays_so_however_long_nothing_follows() -> None:
    world = World("a")
    ended = FeedStatus(state=FeedState.ENDED, last_event_age_s=1, events=3, gaps=0, skipped=0)
    world.stands("a", ended)
    world.clock.advance(seconds=3600)
    assert world.reports.status()["a"].state is FeedState.ENDED


def test_the_directory_is_made_anew_only_when_a_feed_has_others() -> None:
    world = World("a")
    assert world.reports.directory.listings == ()
    world.lists("a", "X:one")
    first = world.reports.directory
    world.hub.publish(price())
    world.stands("a")
    assert world.reports.directory is first
    world.lists("a", "X:one", "X:two")
    assert [each.symbol for each in world.reports.directory.listings] == ["one", "two"]


@pytest.mark.parametrize(("paced", "conflates"), [((True,), False), ((True, False), True)])
def test_a_feed_with_a_rate_of_its_own_makes_the_frequency_an_interval(
    paced: tuple[bool, ...], conflates: bool
) -> None:
    world = World(*map(str, range(len(paced))))
    for number, each in enumerate(paced):
        world.lists(str(number), paced=each)
    assert world.reports.conflates is conflates


def test_an_owner_that_tells_nothing_more_leaves_a_silence_after_the_last_event() -> None:
    world = World("a")
    report = FeedReport(feed="a", status=STATUS, last_event_ns=70, silences=(5,), ts_event=0)
    world.hub.publish(report)
    assert world.reports.current()["a"].silences == (5,)
    world.clock.advance(seconds=4)
    assert world.reports.current()["a"].silences == (5, 70)
