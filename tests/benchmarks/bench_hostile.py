"""Hostile strategies beside 20 healthy ones, each kind in turn: how long the healthy are silent.

`failed after` is from the first tick of a hostile strategy to its first error or its end; empty
where it has what it may have. `longest gap` is of all healthy runners, which get 100 ticks a
second each.
"""

import asyncio
import time

from dashboard.trading.sandbox.host import SandboxHost
from tests.benchmarks.report import Table
from tests.hostile import KINDS, Fate
from tests.sandboxes import Neighbours, Runner, running_host

HEALTHY = 20
WITHIN_S, GOES_ON_S = 10.0, 2.0


async def measure(host: SandboxHost, neighbours: Neighbours, kind: str) -> dict[str, object]:
    """Let a hostile strategy live beside the others."""
    text, fate, _ = KINDS[kind]
    hostile = Runner(host, "hostile", text)
    await hostile.load()
    began_s = time.monotonic()
    for_s = GOES_ON_S if fate is Fate.GOES_ON else WITHIN_S
    gap_s = await neighbours.live_beside(hostile, for_s=for_s)
    hostile.unload()
    neighbours.check()
    failed = "" if hostile.failed_s is None else round((hostile.failed_s - began_s) * 1e3)
    return {
        "kind": kind.ljust(28),
        "failed after ms": failed,
        "longest gap ms": round(gap_s * 1e3),
    }


async def main() -> None:
    """Measure every kind in one host."""
    table = Table("hostile")
    async with running_host() as host:
        neighbours = Neighbours(host, HEALTHY)
        await neighbours.load()
        for kind in KINDS:
            table.add(await measure(host, neighbours, kind))
    gaps = [row["longest gap ms"] for row in table.rows]
    print(f"longest of all: {max(gap for gap in gaps if isinstance(gap, int))} ms")
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
