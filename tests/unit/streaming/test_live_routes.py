from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import Kind, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.fanout.cohort import Cohort
from dashboard.fanout.wire import bare, framed
from dashboard.protocols.live import DIALECT, TAGGED_DIALECT
from dashboard.protocols.live_filters import STREAMS, Filter, kinds_of
from dashboard.streaming.live_routes import LiveRoutes
from tests.unit.runner_events import tick, transition

KEYS = [("NSE", "TCS"), ("BSE", "TCS"), ("NSE", "INFY")]
TOPICS = [Topic(kind, *key) for kind in STREAMS["market"] for key in KEYS]
ALONE = [Topic(Kind.SYSTEM, "", ""), Topic(Kind.CONTROL, "", "")]
RUNNERS = {"a": KEYS[0], "b": KEYS[1], "c": KEYS[1]}
EVENTS = [
    make(runner, symbol=symbol, exchange=exchange)
    for make in (tick, transition)
    for runner, (exchange, symbol) in RUNNERS.items()
]
FILTERS = st.builds(
    Filter,
    st.none() | st.frozensets(st.sampled_from(KEYS)),
    st.frozensets(st.sampled_from(sorted(STREAMS))).map(kinds_of),
    st.none() | st.frozensets(st.sampled_from(sorted(RUNNERS))),
    st.booleans(),
)


def cohort_of(wanted: Filter) -> Cohort:
    return Cohort(bare, wanted, 0)


def reached(routes: LiveRoutes, topic: Topic, cohorts: dict[Cohort, Filter]) -> list[Cohort]:
    """Give who gets a frame of a topic, once for each time."""
    for interest in (topic, topic.kind):
        route = routes.find(interest)
        if route is not None:
            route.put("slot", b"frame")
    return taken(cohorts)


def told(
    routes: LiveRoutes, event: RunnerEvent, cohorts: dict[Cohort, Filter]
) -> list[tuple[Cohort, bytes]]:
    """Give who gets what a runner tells, once for each time, and in which dialect."""
    for dialect, route in routes.find_event(event):
        route.put("slot", dialect.encode())
    found = [(each, frame) for each in cohorts for _, frame in each.pending]
    for each in cohorts:
        each.pending.clear()
    return found


def taken(cohorts: dict[Cohort, Filter]) -> list[Cohort]:
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
        for event in EVENTS:
            due = [
                (each, (TAGGED_DIALECT if its.tagged else DIALECT).encode())
                for each, its in cohorts.items()
                if its.wants_event(event)
            ]
            assert told(routes, event, cohorts) == due
    for cohort, wanted in cohorts.items():
        routes.remove(cohort, wanted)
    assert all(routes.find(each) is None for topic in TOPICS for each in (topic, topic.kind))
    assert not any(routes.find_event(each) for each in EVENTS)


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


def test_a_change_of_the_market_leaves_the_ways_of_events_and_another_does_not() -> None:
    routes = LiveRoutes()
    routes.add(cohort_of(Filter()), Filter())
    before = [routes.find_event(each) for each in EVENTS]
    market = Filter(kinds=kinds_of(["market"]))
    routes.add(cohort_of(market), market)
    assert all(routes.find_event(each) is way for each, way in zip(EVENTS, before, strict=True))
    events = Filter(runners=frozenset({"a"}))
    routes.add(cohort_of(events), events)
    assert not any(routes.find_event(each) is way for each, way in zip(EVENTS, before, strict=True))
