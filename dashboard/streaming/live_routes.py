"""Where events go: to the cohorts that name their topic, and to those that name none."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar, cast

from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Kind, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.route import Route
from dashboard.protocols.live import DIALECT, TAGGED_DIALECT
from dashboard.protocols.live_filters import Filter
from dashboard.protocols.runner_events import EVENT_KINDS

MAX_WAYS = 20_000
"""Runners come and go: so many ways of their events are kept at most."""

Interest = Kind | Topic
"""A kind stands for all common instruments."""
RunnerInterest = str | InstrumentKey | None
"""A runner's name, what it trades, or None for all of them."""
_Named = TypeVar("_Named", Interest, RunnerInterest)


class Interests(Generic[_Named]):
    """What all cohorts are interested in: a change costs what that cohort names."""

    def __init__(self) -> None:
        self._cohorts: dict[_Named, dict[Cohort, None]] = {}

    def add(self, cohort: Cohort, interests: Iterable[_Named]) -> None:
        """Take note of a cohort that has its first member."""
        for interest in interests:
            self._cohorts.setdefault(interest, {})[cohort] = None

    def remove(self, cohort: Cohort, interests: Iterable[_Named]) -> None:
        """Forget a cohort that has lost its last member."""
        for interest in interests:
            cohorts = self._cohorts[interest]
            del cohorts[cohort]
            if not cohorts:
                del self._cohorts[interest]

    def of(self, interest: _Named) -> Iterable[Cohort]:
        """Give the cohorts that have an interest."""
        return self._cohorts.get(interest, ())


class LiveRoutes:
    """The ways of events to the cohorts that their filters let them through to.

    They are looked up as events come: a change of a filter makes those of the market anew that
    it names, and those of runners that events come for next.
    """

    def __init__(self) -> None:
        self._market = Interests[Interest]()
        self._routes: dict[Interest, Route] = {}
        self._events = Interests[RunnerInterest]()
        self._ways: dict[tuple[Kind, str, str, str], Sequence[tuple[str, Route]]] = {}

    def add(self, cohort: Cohort, wanted: Filter) -> None:
        """Take note of a cohort that has its first member."""
        interests = self._changed(wanted)
        self._market.add(cohort, interests)
        self._events.add(cohort, _runner_interests(wanted))

    def remove(self, cohort: Cohort, wanted: Filter) -> None:
        """Forget a cohort that has lost its last member."""
        interests = self._changed(wanted)
        self._market.remove(cohort, interests)
        self._events.remove(cohort, _runner_interests(wanted))

    def find(self, interest: Interest) -> Route | None:
        """Give the way to all who want a topic, or a kind of all common instruments.

        None where there is nobody. Use it at once.
        """
        route = self._routes.get(interest)
        if route is None and (cohorts := self._market.of(interest)):
            route = self._routes[interest] = Route(cohorts)
        return route

    def find_event(self, event: RunnerEvent) -> Sequence[tuple[str, Route]]:
        """Give the way to all who want what a runner tells, for each dialect; use it at once."""
        key = (event.kind, event.runner_id, event.exchange, event.symbol)
        ways = self._ways.get(key)
        if ways is None:
            if len(self._ways) == MAX_WAYS:
                self._ways.clear()
            ways = self._ways[key] = self._look_up(event)
        return ways

    def _look_up(self, event: RunnerEvent) -> Sequence[tuple[str, Route]]:
        found: dict[str, list[Cohort]] = {}
        for interest in (event.runner_id, (event.exchange, event.symbol), None):
            for cohort in self._events.of(interest):
                wanted = cast("Filter", cohort.key)
                if wanted.wants_event(event):
                    dialect = TAGGED_DIALECT if wanted.tagged else DIALECT
                    found.setdefault(dialect, []).append(cohort)
        return [(dialect, Route(cohorts)) for dialect, cohorts in found.items()]

    def _changed(self, wanted: Filter) -> Sequence[Interest]:
        """Give what of the market a filter names, and forget the ways that it changes."""
        interests = [*wanted.common_kinds, *wanted.alone_topics, *wanted.market_topics]
        for interest in interests:
            self._routes.pop(interest, None)
        if wanted.kinds & EVENT_KINDS:
            self._ways.clear()
        return interests


def _runner_interests(wanted: Filter) -> Iterable[RunnerInterest]:
    if not wanted.kinds & EVENT_KINDS:
        return ()
    named = wanted.instruments if wanted.runners is None else wanted.runners
    return (None,) if named is None else named
