"""100 runners at 100 ticks a second each in the real product, and snapshots beside them.

The first table is what the product's own process does for each event of a runner: publishing
it, encoding included, and keeping what the runner holds. The peer is what one writes first: a
dict and `json.dumps` for each event. The second table is the product under load: how many ticks
arrive of those that the simulator makes, the CPU of the product and of its workers, and how
long a snapshot takes over HTTP, which the peer, `/api/health`, has nothing of.
"""

import json
import sys
import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

import httpx
import msgspec

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.trading.events import AnyRunnerEvent, PositionUpdated, TickReceived
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, MarketData, Program
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from dashboard.trading.live_runner import LiveRunner
from dashboard.trading.runner import Runner
from tests.benchmarks.cpu import busy_s
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

RUNNERS = 100
TICKS_PER_S = 100
SECONDS = 20
SETTLE_S = 5
BATCH = 100
BATCHES = 200
ROUNDS = 3
STRATEGY = "ema_crossover"


class NoSaver:
    """Takes notes of nobody."""

    def note(self, _runner: Runner) -> None: ...

    def note_now(self, _runner: Runner, *_trades: object) -> None: ...


def events(count: int) -> list[AnyRunnerEvent]:
    """Make what a runner in a position tells of ticks."""
    made: list[AnyRunnerEvent] = []
    about = {"runner_id": "runner-1", "symbol": "BTC/USD", "exchange": "CRYPTO"}
    for number in range(count // 2):
        price = 45_000 + number / 7
        bar = MarketData(
            symbol="BTC/USD",
            timestamp=1_700_000_000_000 + number,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=0.25,
            bid=price,
            ask=price,
        )
        made.append(TickReceived(**about, data=bar, ts_event=number))
        made.append(
            PositionUpdated(**about, unrealized_pnl=1.5, current_price=price, ts_event=number)
        )
    return made


def through_the_engine() -> float:
    """Let a runner take what was stepped; give the microseconds an event."""
    encoders = {live.DIALECT: live.encoder}
    hub = Hub(epoch="e", clock=time.time_ns, resume_events=100_000, encoders=encoders)
    program = Program(
        runner_id="runner-1",
        symbol="BTC/USD",
        exchange="CRYPTO",
        bar="tick",
        strategy_name=STRATEGY,
        version=1,
        code="",
    )
    saver: Any = NoSaver()
    runner = LiveRunner(
        Runner(program, created_by="", began_ns=0),
        publish=hub.publish,
        saver=saver,
        clock=time.time_ns,
    )
    stepped = Stepped(
        events=events(BATCH), committed=Committed(), ticks=BATCH // 2, bars_wanted=100
    )
    heard = hub.subscribe(
        name="bench",
        wants=lambda _topic: True,
        capacity=BATCH,
        policy=OverflowPolicy.DROP_OLDEST,
    )
    began = time.perf_counter()
    for _ in range(BATCHES):
        runner.take(stepped)
        for published in heard.take():
            hub.frame(published, live.DIALECT)
    return (time.perf_counter() - began) / BATCHES / BATCH * 1e6


def through_json() -> float:
    """Write each event as a dict; give the microseconds an event."""
    told = events(BATCH)
    began = time.perf_counter()
    for _ in range(BATCHES):
        for event in told:
            json.dumps({type(event).__name__: msgspec.to_builtins(event)})
    return (time.perf_counter() - began) / BATCHES / BATCH * 1e6


def best(measure: Callable[[], float]) -> float:
    """Give the shortest of some rounds."""
    return min(measure() for _ in range(ROUNDS))


def times_ms(api: httpx.Client, paths: list[str], seconds: float) -> tuple[float, float, int]:
    """Ask for paths in turn, 50 times a second; give median and 99th percentile in ms."""
    taken: list[float] = []
    end = time.monotonic() + seconds
    number = 0
    while (now := time.monotonic()) < end:
        api.get(paths[number % len(paths)]).raise_for_status()
        taken.append((time.monotonic() - now) * 1e3)
        number += 1
        time.sleep(max(0, 0.02 - (time.monotonic() - now)))
    cuts = quantiles(taken, n=100)
    return cuts[49], cuts[98], len(taken)


def under_load(table: Table, count: int) -> None:
    """Run so many runners in the real product."""
    with (
        LiveServer(
            page=False, frequency_ms=1000 // TICKS_PER_S, api_reads_per_s=10_000, max_runners=200
        ) as product,
        httpx.Client(base_url=f"http://127.0.0.1:{product.port}/api", timeout=60) as api,
    ):
        for number in range(count):
            asked = {
                "runner_id": f"runner-{number}",
                "symbol": "NASDAQ:AAPL",
                "strategy_name": STRATEGY,
            }
            api.post("/runners", json=asked).raise_for_status()
        time.sleep(SETTLE_S)
        server = product.worker()
        workers = server.children()
        cpu, cpu_workers = busy_s(server), sum(map(busy_s, workers))
        ticks, began = ticks_of(api), time.monotonic()
        half = SECONDS / 2
        p50, p99, _ = times_ms(api, [f"/runners/runner-{n}/snapshot" for n in range(count)], half)
        peer50, peer99, _ = times_ms(api, ["/health"], half)
        passed, told = time.monotonic() - began, ticks_of(api)
        dropped = sum(
            api.get(f"/runners/runner-{n}").json()["stats"]["dropped"] for n in range(count)
        )
        table.add(
            {
                "runners": count,
                "ticks/s": round((told - ticks) / passed),
                "dropped": dropped,
                "product CPU %": round((busy_s(server) - cpu) / passed * 100),
                "workers": len(workers),
                "workers CPU %": round((sum(map(busy_s, workers)) - cpu_workers) / passed * 100),
                "snapshot p50 ms": round(p50, 1),
                "p99 ms": round(p99, 1),
                "health p50 ms": round(peer50, 1),
                "health p99 ms": round(peer99, 1),
            }
        )


def ticks_of(api: httpx.Client) -> int:
    """Count the ticks of all runners so far."""
    return sum(each["ticks_processed"] for each in api.get("/runners").json()["runners"])


def main() -> None:
    """Measure one event, then the product with some runners and with all."""
    table = Table("runner events")
    engine, peer = best(through_the_engine), best(through_json)
    table.add(
        {
            "us an event": round(engine, 2),
            "json.dumps us": round(peer, 2),
            "ratio": round(peer / engine, 2),
        }
    )
    table.save()
    if "--quick" in sys.argv:
        return
    table = Table("runners")
    for count in (10, RUNNERS):
        under_load(table, count)
    table.save()


if __name__ == "__main__":
    main()
