"""Where events go: to the cohorts that name their topic, and to those that name none."""

from collections.abc import Iterable, Sequence

from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Kind, Published, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.route import Route
from dashboard.protocols.live import DIALECT, TAGGED_DIALECT
from dashboard.protocols.live_filters import Filter

Interest = Kind | Topic | tuple[Kind, InstrumentKey]
"""A kind stands for all common instruments, or for all runners; beside an instrument, for those
runners that trade it."""


class Routes:
    """What all cohorts are interested in: a change costs what that cohort names."""

    def __init__(self) -> None:
        self._cohorts: dict[Interest, dict[Cohort, None]] = {}
        self._routes: dict[Interest, Route] = {}

    def add(self, cohort: Cohort, interests: Iterable[Interest]) -> None:
        """Take note of a cohort that has its first member."""
        for interest in interests:
            self._cohorts.setdefault(interest, {})[cohort] = None
            self._routes.pop(interest, None)

    def remove(self, cohort: Cohort, interests: Iterable[Interest]) -> None:
        """Forget a cohort that has lost its last member."""
        for interest in interests:
            cohorts = self._cohorts[interest]
            del cohorts[cohort]
            self._routes.pop(interest, None)
            if not cohorts:
                del self._cohorts[interest]

    def find(self, interest: Interest) -> Route | None:
        """Give the way to all who have an interest, if there are any; use it at once."""
        route = self._routes.get(interest)
        if route is None and interest in self._cohorts:
            route = self._routes[interest] = Route(self._cohorts[interest])
        return route


class LiveRoutes:
    """The filters of all cohorts; those of runner events by the dialect that they ask for."""

    def __init__(self) -> None:
        self._market = Routes()
        self._events = {DIALECT: Routes(), TAGGED_DIALECT: Routes()}
        self.find = self._market.find
        """Give the way to all who want a topic, or a kind of all common instruments."""

    def add(self, cohort: Cohort, wanted: Filter) -> None:
        """Take note of a cohort that has its first member."""
        self._market.add(cohort, _market_interests(wanted))
        self._events_of(wanted).add(cohort, _event_interests(wanted))

    def remove(self, cohort: Cohort, wanted: Filter) -> None:
        """Forget a cohort that has lost its last member."""
        self._market.remove(cohort, _market_interests(wanted))
        self._events_of(wanted).remove(cohort, _event_interests(wanted))

    def find_event(
        self, published: Published, event: RunnerEvent
    ) -> Iterable[tuple[str, Sequence[Route]]]:
        """Give the ways to all who want what a runner tells, by the dialect that they want."""
        kind = published.topic.kind
        interests = (published.topic, kind, (kind, (event.exchange, event.symbol)))
        for dialect, routes in self._events.items():
            found = [route for each in interests if (route := routes.find(each)) is not None]
            if found:
                yield dialect, found

    def _events_of(self, wanted: Filter) -> Routes:
        return self._events[TAGGED_DIALECT if wanted.tagged else DIALECT]


def _market_interests(wanted: Filter) -> Sequence[Interest]:
    return [*wanted.common_kinds, *wanted.alone_topics, *wanted.market_topics]


def _event_interests(wanted: Filter) -> Sequence[Interest]:
    unnamed = wanted.unnamed_event_kinds
    if wanted.instruments is None:
        return [*unnamed, *wanted.runner_topics]
    named = [(kind, key) for key in wanted.instruments for kind in unnamed]
    return [*named, *wanted.runner_topics]
