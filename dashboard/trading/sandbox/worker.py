"""The process that strategies run in; the host starts it, see `links`.

It is started with an empty environment and two open files, a socket and shared memory, and
gives up all else before the first strategy comes. It imports no more than it needs: a spare one
is to be ready soon. It uses the file descriptor of its socket as it is, for the same reason.
"""

import gc
import mmap
import os
import signal
import sys
import time
from collections.abc import Sequence

import msgspec

from dashboard.core.errors import StrategyError
from dashboard.core.trading.events import ActionExecuted, AnyRunnerEvent, RunnerError
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import MarketData, Program, Severity
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.lockdown import die_with_parent, lock_down
from dashboard.trading.sandbox.messages import (
    LENGTH,
    NUMBER_BITS,
    RUNNING,
    VALIDATING,
    Answer,
    Checked,
    Did,
    Done,
    Load,
    Loaded,
    Ready,
    Request,
    Step,
    Unload,
    Validate,
)
from dashboard.trading.sandbox.strategy import LuaStrategy, validate

CHUNK = 1 << 20
WORD = 2**64 - 1
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000
REHEARSAL = """
function detect_opportunity(market_data, context, indicators)
  context.rsi = indicators.rsi(2)
  return {reason = "rehearsal"}
end
function filter_commitment() error("rehearsal") end
function manage_position() end
"""
"""Makes Python load what it loads late: afterwards there are no files any more."""


class Runner:
    """A runner as its worker holds it."""

    def __init__(self, load: Load, limits: Limits) -> None:
        self.strategy = LuaStrategy(
            load.program, limits=limits, committed=load.committed, window=load.window
        )
        self.machine = Machine(load.program, load.committed, self.strategy)
        self._filled_ns = time.monotonic_ns()

    def take_log(self) -> list[str]:
        """Take what was printed: so many bytes a second, and what is over is left out."""
        now_ns = time.monotonic_ns()
        refill = now_ns - self._filled_ns >= NS_PER_S
        if refill:
            self._filled_ns = now_ns
        return self.strategy.take_log(refill=refill)


class Worker:
    """All runners of one process; `running` is the shared memory."""

    def __init__(self, limits: Limits, running: memoryview) -> None:
        self._limits = limits
        self._running = running
        self._runners: dict[int, Runner] = {}
        self._calls = 0

    def answer(self, request: Request) -> Answer:
        """Do what the host asks for."""
        try:
            match request:
                case Step():
                    return self._step_all(request.ticks)
                case Load():
                    self._enter(request.number)
                    self._runners[request.number] = Runner(request, self._limits)
                case Unload():
                    self._runners.pop(request.number, None)
                case Validate():
                    self._enter(VALIDATING)
                    return Checked(validate(request.code, self._limits))
        except StrategyError as error:
            return Loaded(problem=error.problem, line=error.line)
        finally:
            self._running[0] = 0
        return Loaded()

    def _enter(self, number: int) -> None:
        """Say in shared memory whose call begins."""
        self._calls += 1
        self._running[0] = (self._calls << NUMBER_BITS | number) & WORD

    def prepare(self) -> Ready:
        """Give up what is not needed, for good."""
        self._rehearse()
        gc.collect()
        gc.freeze()
        return Ready(lock_down(address_bytes=self._limits.worker_bytes))

    def _rehearse(self) -> None:
        program = Program(
            runner_id="rehearsal",
            symbol="REHEARSAL",
            exchange="",
            bar="tick",
            strategy_name="rehearsal",
            version=1,
            code=REHEARSAL,
        )
        bar = MarketData(
            symbol="REHEARSAL",
            timestamp=0,
            open=1.0,
            high=1.0,
            low=1.0,
            close=1.0,
            volume=1.0,
            bid=1.0,
            ask=1.0,
        )
        loaded = self.answer(Load(0, program))
        done = self.answer(Step([(0, [bar, bar])]))
        for answer in (loaded, done, self.answer(Validate("?"))):
            msgspec.msgpack.encode(answer)
        self.answer(Unload(0))

    def _step_all(self, ticks: Sequence[tuple[int, Sequence[MarketData]]]) -> Done:
        """Step runners until time is up, one of them in any case."""
        until_ns = time.perf_counter_ns() + self._limits.message_ms * NS_PER_MS
        done: list[Did] = []
        for number, bars in ticks:
            runner = self._runners[number]
            began_ns = time.process_time_ns()
            stepped = self._step(number, runner, bars)
            cpu_us = (time.process_time_ns() - began_ns) / NS_PER_US
            done.append(Did(number, stepped, cpu_us, runner.machine.ended))
            if runner.machine.ended is not None:
                del self._runners[number]
            if time.perf_counter_ns() >= until_ns:
                break
        return Done(done)

    def _step(self, number: int, runner: Runner, bars: Sequence[MarketData]) -> Stepped:
        """Step a runner until its share of time is up, one tick in any case."""
        machine = runner.machine
        events: list[AnyRunnerEvent] = []
        count = longest = 0
        shortest = NS_PER_S
        began = before = time.perf_counter_ns()
        until = began + self._limits.share_ms * NS_PER_MS
        for bar in bars:
            self._enter(number)
            events += machine.step(bar)
            now = time.perf_counter_ns()
            took = now - before
            before = now
            count += 1
            longest = max(longest, took)
            shortest = min(shortest, took)
            if now >= until or machine.ended is not None:
                break
        kinds = list(map(type, events))
        return Stepped(
            events=events,
            committed=machine.committed,
            ticks=count,
            total_us=(before - began) / NS_PER_US,
            min_us=shortest / NS_PER_US,
            max_us=longest / NS_PER_US,
            actions=kinds.count(ActionExecuted),
            errors=kinds.count(RunnerError) and sum(map(_is_error, events)),
            bars_wanted=runner.strategy.bars_wanted,
            log=runner.take_log(),
        )


def _is_error(event: AnyRunnerEvent) -> bool:
    return isinstance(event, RunnerError) and event.severity is not Severity.WARNING


class Socket:
    """The host's end of the line, by its file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = bytearray()
        self._decode = msgspec.msgpack.Decoder(Request).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def read(self) -> Request | None:
        """Wait for the next request; None when the host has hung up."""
        while (message := self._take()) is None:
            chunk = os.read(self._descriptor, CHUNK)
            if not chunk:
                return None
            self._pending += chunk
        return self._decode(message)

    def _take(self) -> bytearray | None:
        """Take a message out of what was read, if it is whole."""
        pending = self._pending
        if len(pending) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(pending)[0]
        if len(pending) < end:
            return None
        message = pending[LENGTH.size : end]
        del pending[:end]
        return message

    def write(self, answer: Answer) -> None:
        """Send an answer, however long it takes."""
        data = self._encode(answer)
        rest = memoryview(LENGTH.pack(len(data)) + data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def main() -> None:
    """Serve the host: the arguments are two file descriptors, and the limits."""
    socket, shared, limits = sys.argv[1:]
    die_with_parent()
    # The product holds signals back while it ends, and a child has its mask.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    running = memoryview(mmap.mmap(int(shared), RUNNING.size)).cast("Q")
    os.close(int(shared))
    worker = Worker(msgspec.json.decode(limits, type=Limits), running)
    line = Socket(int(socket))
    line.write(worker.prepare())
    while (request := line.read()) is not None:
        line.write(worker.answer(request))
