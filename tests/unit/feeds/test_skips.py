from structlog.testing import capture_logs

from dashboard.feeds.skips import LOG_EVERY_NS, Skips
from tests.unit.fakes import Clock


def test_causes_are_counted_and_their_sum_is_the_total() -> None:
    skips = Skips(feed="redis", clock=Clock())
    for cause in ("bad data", "unknown type", "bad data"):
        skips.add(cause, "a problem")
    assert skips.by_cause == {"bad data": 2, "unknown type": 1}
    assert skips.total == 3


def test_each_cause_is_logged_at_first_and_then_now_and_then_with_the_count_since() -> None:
    clock = Clock()
    skips = Skips(feed="redis", clock=clock)
    with capture_logs() as logs:
        for number in range(500):
            skips.add("bad data", f"problem {number}")
        skips.add("unknown type", "another")
        clock.now += LOG_EVERY_NS
        skips.add("bad data", "problem 500")
        skips.add("bad data", "problem 501")
    assert [(each["cause"], each["problem"], each["count"]) for each in logs] == [
        ("bad data", "problem 0", 1),
        ("unknown type", "another", 1),
        ("bad data", "problem 500", 500),
    ]
