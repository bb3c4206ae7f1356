"""What a worker answers, in this process: it gives nothing up here."""

from dashboard.core.trading.events import PositionOpened, RunnerError, TickReceived
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.messages import (
    VALIDATING,
    Checked,
    Done,
    Load,
    Loaded,
    Step,
    Unload,
    Validate,
)
from dashboard.trading.sandbox.worker import Worker
from tests.lua import bar, code, program

BUYING = code(
    "return {signal = 'go'}",
    commit="return {action = 'enter_long', quantity = 2}",
    manage="print('held'); error('no')",
)


PATIENT = Limits(share_ms=60_000, message_ms=60_000)


class Served:
    """A worker with its shared memory."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.memory = memoryview(bytearray(8)).cast("Q")
        self._worker = Worker(limits or PATIENT, self.memory)

    def load(self, text: str, number: int = 7) -> Loaded:
        answer = self._worker.answer(Load(number, program(text)))
        assert isinstance(answer, Loaded)
        return answer

    def step(self, *ticks: tuple[int, int]) -> Done:
        """Give runners so many ticks each."""
        answer = self._worker.answer(
            Step([(number, [bar(timestamp=at) for at in range(count)]) for number, count in ticks])
        )
        assert isinstance(answer, Done)
        return answer

    def unload(self, number: int) -> None:
        assert self._worker.answer(Unload(number)) == Loaded()

    def validate(self, text: str) -> Checked:
        answer = self._worker.answer(Validate(text))
        assert isinstance(answer, Checked)
        return answer


def test_all_that_comes_of_ticks_is_told_at_once() -> None:
    served = Served()
    assert served.load(BUYING) == Loaded()
    (did,) = served.step((7, 4)).runners
    assert (did.number, did.ended) == (7, None)
    assert did.cpu_us > 0
    stepped = did.stepped
    assert (stepped.ticks, stepped.actions, stepped.errors) == (4, 1, 2)
    kinds = [type(event) for event in stepped.events]
    assert kinds.count(TickReceived) == 4
    assert kinds.count(PositionOpened) == 1
    assert kinds.count(RunnerError) == 2
    assert stepped.log == ["held", "held"]
    assert stepped.committed.position is not None
    assert stepped.bars_wanted == 100
    assert 0 < stepped.min_us <= stepped.max_us <= stepped.total_us


def test_whose_call_runs_stands_in_the_shared_memory_while_it_runs() -> None:
    served = Served()
    served.load(BUYING)
    served.step((7, 3))
    assert served.memory[0] == 0


def test_code_that_cannot_run_is_not_loaded() -> None:
    answer = Served().load("x = = 1")
    assert answer == Loaded("Lua error: line 1: unexpected symbol near '='", 1)


def test_code_is_validated() -> None:
    served = Served()
    assert served.validate(BUYING).validated.problems == ()
    assert len(served.validate("x = = 1").validated.problems) == 1
    assert served.memory[0] == 0
    assert VALIDATING < 2


def test_a_runner_that_ends_is_told_and_forgotten() -> None:
    served = Served()
    served.load(code("local t = {}; while true do t = {t} end"))
    (did,) = served.step((7, 3)).runners
    assert did.ended == "Lua error: not enough memory: a runner has 32 MB"
    assert did.stepped.ticks == 1
    served.load(BUYING)
    assert served.step((7, 1)).runners[0].ended is None


def test_time_is_shared() -> None:
    slow = code("for i = 1, 1000000 do end")
    served = Served(Limits(share_ms=1, message_ms=1))
    served.load(slow, 7)
    served.load(slow, 8)
    (did,) = served.step((7, 5), (8, 5)).runners
    assert (did.number, did.stepped.ticks) == (7, 1)


def test_runners_do_not_see_each_other() -> None:
    served = Served()
    served.load(code("shared = (shared or 0) + 1; context.n = shared"), 7)
    served.load(code("context.n = shared or 'none'"), 8)
    contexts = [did.stepped.committed.context for did in served.step((7, 2), (8, 2)).runners]
    assert contexts == ['{"n":2}', '{"n":"none"}']
    served.unload(7)
