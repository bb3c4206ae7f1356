"""Where events go: to the cohorts that name their topic, and to those that name none."""

from collections.abc import Iterable, Sequence

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

Interest = Kind | Topic | tuple[Kind, InstrumentKey]
"""A kind stands for all common instruments, or for all runners; beside an instrument, for those
runners that trade it."""


class Interests:
    """What all cohorts are interested in: a change costs what that cohort names."""

    def __init__(self) -> None:
        self._cohorts: dict[Interest, dict[Cohort, None]] = {}

    def add(self, cohort: Cohort, interests: Iterable[Interest]) -> None:
        """Take note of a cohort that has its first member."""
        for interest in interests:
            self._cohorts.setdefault(interest, {})[cohort] = None

    def remove(self, cohort: Cohort, interests: Iterable[Interest]) -> None:
        """Forget a cohort that has lost its last member."""
        for interest in interests:
            cohorts = self._cohorts[interest]
            del cohorts[cohort]
            if not cohorts:
                del self._cohorts[interest]

    def of(self, interest: Interest) -> Iterable[Cohort]:
        """Give the cohorts that have an interest."""
        return self._cohorts.get(interest, ())


class LiveRoutes:
    """The ways of events to the cohorts that their filters let them through to.

    They are looked up as events come: a change of a filter makes those of the market anew that
    it names, and those of runners that events come for next.
    """

    def __init__(self) -> None:
        self._market = Interests()
        self._routes: dict[Interest, Route] = {}
        self._events = {DIALECT: Interests(), TAGGED_DIALECT: Interests()}
        self._ways: dict[tuple[Kind, str, str, str], Sequence[tuple[str, Route]]] = {}

    def add(self, cohort: Cohort, wanted: Filter) -> None:
        """Take note of a cohort that has its first member."""
        interests = self._changed(wanted)
        self._market.add(cohort, interests)
        self._events_of(wanted).add(cohort, _event_interests(wanted))

    def remove(self, cohort: Cohort, wanted: Filter) -> None:
        """Forget a cohort that has lost its last member."""
        interests = self._changed(wanted)
        self._market.remove(cohort, interests)
        self._events_of(wanted).remove(cohort, _event_interests(wanted))

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
        kind = event.kind
        interests = (event.topic, kind, (kind, (event.exchange, event.symbol)))
        found = (
            (dialect, Route([cohort for each in interests for cohort in wanting.of(each)]))
            for dialect, wanting in self._events.items()
        )
        return [(dialect, route) for dialect, route in found if route]

    def _changed(self, wanted: Filter) -> Sequence[Interest]:
        """Give what of the market a filter names, and forget the ways that it changes."""
        interests = [*wanted.common_kinds, *wanted.alone_topics, *wanted.market_topics]
        for interest in interests:
            self._routes.pop(interest, None)
        if wanted.kinds & EVENT_KINDS:
            self._ways.clear()
        return interests

    def _events_of(self, wanted: Filter) -> Interests:
        return self._events[TAGGED_DIALECT if wanted.tagged else DIALECT]


def _event_interests(wanted: Filter) -> Sequence[Interest]:
    unnamed = wanted.unnamed_event_kinds
    if wanted.instruments is None:
        return [*unnamed, *wanted.runner_topics]
    named = [(kind, key) for key in wanted.instruments for kind in unnamed]
    return [*named, *wanted.runner_topics]
