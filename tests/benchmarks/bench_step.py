"""What a strategy's step costs: the call into Lua, the step, a message, and 100 runners at once.

The first table is of one process, the best of some rounds, on a random walk. `call` is Lua with
all that the engine does for it, `step` is the whole step, and `commit` is what is kept after a
message. The second one sends a worker messages of 1 and of 100 ticks, and tells what its host
spends on decoding them too. The last one runs 100 runners at 100 ticks a second each through a
host, with the CPU of the host's process and of its workers, in shares of one core.
"""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import MarketData, State
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.links import Link
from dashboard.trading.sandbox.messages import Done, Load, Step
from dashboard.trading.sandbox.strategy import LuaStrategy
from tests.benchmarks.cpu import busy_s
from tests.benchmarks.report import Table
from tests.live_server import ROOT
from tests.lua import ACCOUNT, bar, code, program
from tests.sandboxes import running_host

EXAMPLES = ROOT / "dashboard" / "trading" / "examples"
ROUNDS, BARS = 5, 5_000
MESSAGES = 300
RUNNERS, RATE, SECONDS = 100, 100, 10
STRATEGIES = {
    "empty": code(),
    **{path.stem: path.read_text() for path in sorted(Path(EXAMPLES).glob("*.lua"))},
}


def walk(count: int) -> list[MarketData]:
    rng = random.Random(1)
    close = 45_000.0
    bars: list[MarketData] = []
    for number in range(count):
        close *= 1 + rng.gauss(0, 0.0005)
        spread = close * rng.random() * 0.0005
        bars.append(
            bar(
                close,
                timestamp=number * 60_000,
                high=close + spread,
                low=close - spread,
                volume=rng.expovariate(1),
            )
        )
    return bars


def best_us(measure: Callable[[], int]) -> float:
    """Give the µs that one of those takes that `measure` does, in the best round."""
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        count = measure()
        took.append((time.perf_counter() - began) / count * 1e6)
    return round(min(took), 2)


def measure_step(name: str, bars: list[MarketData]) -> dict[str, object]:
    """Measure a strategy in this process."""
    given = program(STRATEGIES[name], bar="1m")

    def call() -> int:
        strategy = LuaStrategy(given, limits=Limits())
        for each in bars:
            strategy.advance(each, function=State.IDLE, account=ACCOUNT)
        return len(bars)

    def step() -> int:
        machine = Machine(given, None, LuaStrategy(given, limits=Limits()))
        for each in bars:
            machine.step(each)
        return len(bars)

    strategy = LuaStrategy(given, limits=Limits())
    strategy.advance(bars[0], function=State.IDLE, account=ACCOUNT)

    def commit() -> int:
        for _ in range(1_000):
            strategy.committed()
        return 1_000

    def load() -> int:
        for _ in range(20):
            LuaStrategy(given, limits=Limits())
        return 20

    return {
        "strategy": name.ljust(18),
        "µs/call": best_us(call),
        "µs/step": best_us(step),
        "µs/commit": best_us(commit),
        "µs/load": best_us(load),
    }


async def measure_messages(ticks: int, bars: list[MarketData]) -> dict[str, object]:
    """Send a worker messages of so many ticks of one runner each."""
    link = await Link.start(Limits(share_ms=1_000, message_ms=1_000))
    try:
        await link.ask(Load(2, program(STRATEGIES["ema_crossover"], bar="1m")))
        worker = link.measure_cpu_s()
        host = time.process_time()
        began = time.perf_counter()
        for _ in range(MESSAGES):
            answer = await link.ask(Step([(2, bars[:ticks])]))
            assert isinstance(answer, Done)
        took = time.perf_counter() - began
        host = time.process_time() - host
        worker = link.measure_cpu_s() - worker
    finally:
        await link.close()
    total = MESSAGES * ticks / 1e6
    return {
        "ticks/message": ticks,
        "µs/tick there and back": round(took / total, 1),
        "CPU µs/tick of the worker": round(worker / total, 1),
        "of the host": round(host / total, 1),
    }


async def measure_runners(name: str) -> dict[str, object]:
    """Run 100 runners at 100 ticks a second."""
    bars = walk(RATE * SECONDS)
    late_ms: list[float] = []
    events = 0
    async with running_host() as host:
        given_s = {}

        def take(stepped: Stepped) -> None:
            nonlocal events
            events += len(stepped.events)
            for event in stepped.events:
                began = given_s.get(event.ts_event)
                if began is not None:
                    late_ms.append((time.perf_counter() - began) * 1e3)

        for number in range(RUNNERS):
            await host.load(
                program(STRATEGIES[name], runner_id=str(number)),
                committed=None,
                window=(),
                stepped=take,
                ended=print,
            )
        workers = psutil.Process().children()
        before = [busy_s(worker) for worker in workers]
        cpu = time.process_time()
        began = time.perf_counter()
        for number, each in enumerate(bars):
            given_s[each.timestamp * 1_000_000] = time.perf_counter()
            for runner in range(RUNNERS):
                host.give(str(runner), each)
            ahead = began + (number + 1) / RATE - time.perf_counter()
            await asyncio.sleep(max(ahead, 0))
        took = time.perf_counter() - began
        cpu = time.process_time() - cpu
        used = sum(busy_s(worker) for worker in workers) - sum(before)
    late_ms.sort()
    return {
        "strategy": name.ljust(18),
        "ticks/s": round(RUNNERS * len(bars) / took),
        "events/s": round(events / took),
        "host %": round(cpu / took * 100, 1),
        "workers %": round(used / took * 100, 1),
        "ms p50": round(late_ms[len(late_ms) // 2], 1),
        "ms p99": round(late_ms[len(late_ms) * 99 // 100], 1),
    }


def main() -> None:
    """Measure all of it."""
    bars = walk(BARS)
    steps = Table("step")
    for name in STRATEGIES:
        steps.add(measure_step(name, bars))
    steps.save()
    messages = Table("step_messages")
    for ticks in (1, 100):
        messages.add(asyncio.run(measure_messages(ticks, bars)))
    messages.save()
    runners = Table("step_runners")
    for name in STRATEGIES:
        runners.add(asyncio.run(measure_runners(name)))
    runners.save()


if __name__ == "__main__":
    main()
