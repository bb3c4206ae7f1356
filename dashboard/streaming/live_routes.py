"""Where the events of a topic go: to the cohorts that name it, and to those that get all."""

from dashboard.core.model import Kind, Topic
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.route import Route
from dashboard.protocols.live import Filter

Interest = Kind | Topic
"""A kind stands for all common instruments."""


class LiveRoutes:
    """The filters of all cohorts, by what they want: a change costs what its filter names."""

    def __init__(self) -> None:
        self._cohorts: dict[Interest, dict[Cohort, None]] = {}
        self._routes: dict[Interest, Route] = {}

    def add(self, cohort: Cohort, wanted: Filter) -> None:
        """Take note of a cohort that has its first member."""
        for interest in _interests(wanted):
            self._cohorts.setdefault(interest, {})[cohort] = None
            self._routes.pop(interest, None)

    def remove(self, cohort: Cohort, wanted: Filter) -> None:
        """Forget a cohort that has lost its last member."""
        for interest in _interests(wanted):
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


def _interests(wanted: Filter) -> list[Interest]:
    return [*wanted.common_kinds, *wanted.topics]
