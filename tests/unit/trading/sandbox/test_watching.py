import pytest

from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.watching import BLINK_S, LOOK_S, Watch


class Worker:
    """A worker with a clock of its own and one for all, both set by hand."""

    def __init__(self) -> None:
        self.running = 1
        self.is_busy = True
        self.cpu_s = self.waited_s = 0.0
        self.now_s = 100.0
        self._watch = Watch(self, Limits(), lambda: self.now_s)

    def measure_cpu_s(self) -> float:
        return self.cpu_s

    def measure_waited_s(self) -> float:
        return self.waited_s

    def run(
        self, seconds: float, *, cpu: float = 1.0, waiting: float = 0.0, calls: int = 0
    ) -> str | None:
        """Run for so long, with so much of a core, and wait for one; give a reason to kill it."""
        for look in range(round(seconds / LOOK_S)):
            self.now_s += LOOK_S
            self.cpu_s += LOOK_S * cpu
            self.waited_s += LOOK_S * waiting
            if calls and look % calls == 0:
                self.running += 1
            if why := self._watch.look():
                return why
        return None


def test_a_call_that_takes_too_much_cpu_is_found() -> None:
    worker = Worker()
    assert worker.run(0.3) is None
    assert worker.run(0.1) == "a call took more than 300 ms of CPU time"


def test_a_call_that_waits_has_longer() -> None:
    worker = Worker()
    assert worker.run(2.0, cpu=0.1) is None
    assert worker.run(0.2, cpu=0.1) == "a call took more than 2 s"


def test_a_call_that_waits_for_a_core_is_not_to_blame() -> None:
    worker = Worker()
    assert worker.run(10.0, cpu=0.01, waiting=0.99) is None
    assert worker.run(3.0, cpu=0.0, waiting=0.0) == "a call took more than 2 s"


@pytest.mark.parametrize("cpu", [1.0, 0.1])
def test_calls_are_taken_one_by_one(cpu: float) -> None:
    assert Worker().run(60.0, cpu=cpu, calls=5) is None


def test_one_that_waits_for_work_is_left_alone() -> None:
    worker = Worker()
    worker.run(0.2)
    worker.is_busy = False
    assert worker.run(60.0, cpu=0.0) is None
    worker.is_busy = True
    assert worker.run(0.3) is None


def test_who_was_held_up_looks_anew() -> None:
    worker = Worker()
    worker.run(0.2)
    worker.now_s += BLINK_S + LOOK_S
    worker.cpu_s += 0.25
    assert worker.run(0.3) is None
    assert worker.run(0.1) is not None
