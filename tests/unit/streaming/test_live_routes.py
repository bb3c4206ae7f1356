from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import Kind, Topic
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.wire import bare, framed
from dashboard.protocols.live_filters import STREAMS, Filter, kinds_of
from dashboard.streaming.live_routes import LiveRoutes

KEYS = [("NSE", "TCS"), ("BSE", "TCS"), ("NSE", "INFY")]
TOPICS = [Topic(kind, *key) for kind in STREAMS["market"] for key in KEYS]
ALONE = [Topic(Kind.SYSTEM, "", ""), Topic(Kind.CONTROL, "", "")]
FILTERS = st.builds(
    Filter,
    st.none() | st.frozensets(st.sampled_from(KEYS)),
    st.frozensets(st.sampled_from(sorted(STREAMS))).map(kinds_of),
)


def cohort_of(wanted: Filter) -> Cohort:
    return Cohort(bare, wanted, 0)


def reached(routes: LiveRoutes, topic: Topic, cohorts: dict[Cohort, Filter]) -> list[Cohort]:
    """Give who gets a frame of a topic, once for each time."""
    for interest in (topic, topic.kind):
        route = routes.find(interest)
        if route is not None:
            route.put("slot", b"frame")
    found = [each for each in cohorts for _ in each.pending]
    for each in cohorts:
        each.pending.clear()
    return found


@given(st.lists(st.tuples(st.booleans(), FILTERS), max_size=20))
def test_each_cohort_is_reached_by_what_its_filter_lets_through_once(
    steps: list[tuple[bool, Filter]],
) -> None:
    routes = LiveRoutes()
    cohorts: dict[Cohort, Filter] = {}
    for joins, wanted in steps:
        leaving = next(iter(cohorts), None)
        if joins or leaving is None:
            cohort = cohort_of(wanted)
            cohorts[cohort] = wanted
            routes.add(cohort, wanted)
        else:
            routes.remove(leaving, cohorts.pop(leaving))
        for topic in TOPICS + ALONE:
            wanting = [each for each, its in cohorts.items() if its.wants(topic, common=True)]
            assert reached(routes, topic, cohorts) == wanting
    for cohort, wanted in cohorts.items():
        routes.remove(cohort, wanted)
    assert all(routes.find(each) is None for topic in TOPICS for each in (topic, topic.kind))


def test_a_change_finds_the_routes_of_what_it_names_anew_and_no_others() -> None:
    routes = LiveRoutes()
    for key in KEYS:
        wanted = Filter(frozenset({key}), kinds_of(["market"]))
        routes.add(cohort_of(wanted), wanted)
    routes.add(cohort_of(Filter()), Filter())
    before = {each: routes.find(each) for each in [*TOPICS, *STREAMS["market"]]}
    wanted = Filter(frozenset({KEYS[0]}), kinds_of(["market"]))
    routes.add(Cohort(framed, wanted, 0), wanted)
    changed = {each for each, route in before.items() if routes.find(each) is not route}
    assert changed == {topic for topic in TOPICS if (topic.exchange, topic.subject) == KEYS[0]}
