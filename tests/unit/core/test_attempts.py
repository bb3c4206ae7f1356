import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core import attempts
from dashboard.core.attempts import FailureLimit
from tests.unit.fakes import SECOND_NS, Clock


def limit(clock: Clock) -> FailureLimit:
    return FailureLimit(burst=3, refill_ns=2 * SECOND_NS, clock=clock)


def test_an_address_may_fail_in_a_burst_and_then_has_to_wait() -> None:
    clock = Clock()
    failures = limit(clock)
    assert [failures.take("1.1.1.1") for _ in range(5)] == [True, True, True, False, False]
    assert failures.wait_ns("1.1.1.1") == 2 * SECOND_NS
    clock.advance(seconds=2)
    assert [failures.take("1.1.1.1") for _ in range(2)] == [True, False]


def test_addresses_count_apart() -> None:
    failures = limit(Clock())
    for _ in range(3):
        failures.take("1.1.1.1")
    assert failures.wait_ns("1.1.1.1") > 0
    assert failures.wait_ns("1.1.1.2") == 0


def test_what_did_not_fail_is_given_back() -> None:
    failures = limit(Clock())
    for _ in range(10):
        assert failures.take("1.1.1.1")
        failures.give_back("1.1.1.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.5", False),
        ("unknown", "unknown", True),
    ],
)
def test_one_machine_is_one_address(one: str, other: str, *, same: bool) -> None:
    failures = limit(Clock())
    for _ in range(3):
        failures.take(one)
    assert (failures.wait_ns(other) > 0) is same


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_ADDRESSES", 2)
    failures = limit(Clock())
    for address in ("1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2"):
        failures.take(address)
    assert failures.wait_ns("1.1.1.1") > 0
    failures.take("3.3.3.3")
    assert failures.wait_ns("1.1.1.1") == 0


@given(st.lists(st.floats(0, 10), max_size=200))
def test_no_more_than_the_burst_and_the_refill_ever_pass(pauses: list[float]) -> None:
    clock = Clock()
    began = clock.now
    failures = limit(clock)
    passed = 0
    for pause in pauses:
        clock.advance(seconds=pause)
        passed += failures.take("1.1.1.1")
        assert passed <= 3 + (clock.now - began) / (2 * SECOND_NS)
