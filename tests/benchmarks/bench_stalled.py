"""What one client that reads nothing does to the others of the stream server.

The stand-alone server, fed as in `bench_fanout.py`, serves 99 clients in rounds:
without and with one more that stops reading once it is subscribed, in turn. At last
one stops reading and is waited for until the server cuts its connection.
"""

import argparse
import multiprocessing
import os
import time
from statistics import median

import psutil

from tests.benchmarks.bench_fanout import greetings
from tests.benchmarks.fanout_client import LoadClient, load_client
from tests.benchmarks.fanout_messages import feed_numbered
from tests.benchmarks.fanout_runners import Load, Served, serving
from tests.benchmarks.processes import calling
from tests.benchmarks.report import Table

LOAD = Load("100x500", clients=100, rate=500, symbols=50, held=50)
WARMUP_S = 2
EVICTED_WITHIN_S = 90
"""When to give up waiting; the server promises 45."""


def measure(
    client: LoadClient, served: Served, *, stalled: int, seconds: float
) -> dict[str, object]:
    """Give what the healthy clients of one round saw.

    Raises:
        RuntimeError: when the clients did not get ready.
    """
    said = greetings(served, LOAD)[: LOAD.clients - 1 + stalled]
    with client.running(
        served.port,
        said,
        symbols=LOAD.symbols,
        replies=served.replies,
        stalled=stalled,
        warmup_s=WARMUP_S,
        seconds=seconds,
    ) as reports:
        for report in reports:
            if report["event"] == "measured":
                return report
    raise RuntimeError("the clients did not get ready")


def evicted_after_s(client: LoadClient, served: Served) -> float | None:
    """Give after how many seconds a client that reads nothing is cut off, or None if it is not."""
    with client.running(
        served.port,
        greetings(served, LOAD)[:2],
        symbols=LOAD.symbols,
        replies=served.replies,
        stalled=1,
        warmup_s=EVICTED_WITHIN_S,
        seconds=EVICTED_WITHIN_S,
    ) as reports:
        port = next(report["port"] for report in reports if report["event"] == "stalled")
        began = time.monotonic()
        while is_connected(served.process, port):
            if time.monotonic() - began > EVICTED_WITHIN_S:
                return None
            time.sleep(0.1)
        return time.monotonic() - began


def is_connected(server: psutil.Process, port: int) -> bool:
    """Tell whether a server still holds the connection of a client's port."""
    return any(each.raddr and each.raddr.port == port for each in server.net_connections("tcp"))


def main() -> None:
    """Measure the rounds, then the eviction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    asked = parser.parse_args()
    table = Table("stalled")
    p99_ms: dict[int, list[float]] = {0: [], 1: []}
    spawning = multiprocessing.get_context("spawn")
    begin, published = spawning.Event(), spawning.Value("Q", 0, lock=False)
    begin.set()
    all_cores = os.sched_getaffinity(0)
    own = {min(all_cores)} if len(all_cores) > 1 else all_cores
    os.sched_setaffinity(0, all_cores - own or all_cores)
    with load_client() as client, serving("ours", LOAD, own) as served:
        feeding = (served.feed_form, served.feed_port, LOAD.symbols, LOAD.rate, begin, published)
        with calling(feed_numbered, *feeding):
            for number in range(2 * asked.rounds):
                stalled = number % 2
                seen = measure(client, served, stalled=stalled, seconds=asked.seconds)
                p99_ms[stalled].append(float(str(seen["p99_ms"])))
                shown = {name: seen[name] for name in ("lost", "doubled", "p50_ms", "p99_ms")}
                table.add({"clients": "99 + 1 stalled" if stalled else "99            "} | shown)
            without, beside = median(p99_ms[0]), median(p99_ms[1])
            print(
                f"\nmedian p99: {without:.1f} ms without, {beside:.1f} ms beside a stalled client"
            )
            print(f"ratio: {beside / without:.2f}")
            evicted_s = evicted_after_s(client, served)
            print(
                "not cut off" if evicted_s is None else f"cut off after {evicted_s:.1f} s",
                "of reading nothing",
            )
    table.save()


if __name__ == "__main__":
    main()
