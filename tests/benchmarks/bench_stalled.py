"""One client that stops reading, among clients of the stream server: what do the others notice?

Clients of one server, `bench_fanout.py`'s `ours`, in rounds that take turns: all of
them read, or all but one, which subscribes and reads nothing from then on. Each
round's time from the tick to those that read; then the median p99 of both kinds of
round, and how long the server bears with the stalled one.
"""

import argparse
import statistics
import time

import psutil

from tests.benchmarks.fanout_client import LoadClient, Report, load_client
from tests.benchmarks.fanout_runners import RUNNERS, Load, Served, feeding, greetings
from tests.benchmarks.processes import leave_a_core
from tests.benchmarks.report import Table

LOAD = Load("100x500", clients=100, rate=500, symbols=50, held=50)
ROUNDS = 8
WARMUP_S = 2.5
"""Long enough for the buffers of the stalled client to fill, so that it lags while we measure."""
CLOSED_WITHIN_S = 60
LOOK_EVERY_S = 0.1


def measure(client: LoadClient, served: Served, *, stalled: int, seconds: float) -> Report:
    """Run one round; give what the load client reports of those that read.

    Raises:
        RuntimeError: when not all clients got ready.
    """
    with client.running(
        served.port,
        greetings(served, LOAD),
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


def seconds_until_closed(client: LoadClient, served: Served) -> float | None:
    """Give how long after it stopped reading the server gave up the stalled client.

    The client cannot see that, as it reads nothing: it is found in the server's list of
    connections. None where it is still there after 60 s.
    """
    with client.running(
        served.port,
        greetings(served, LOAD),
        symbols=LOAD.symbols,
        replies=served.replies,
        stalled=1,
        warmup_s=0,
        seconds=CLOSED_WITHIN_S + WARMUP_S,
    ) as reports:
        port = next(report["port"] for report in reports if report["event"] == "stalled")
        began = time.monotonic()
        while (passed_s := time.monotonic() - began) < CLOSED_WITHIN_S:
            if not connected(served.process, port):
                return passed_s
            time.sleep(LOOK_EVERY_S)
    return None


def connected(server: psutil.Process, port: int) -> bool:
    """Tell whether a server has a connection with a port."""
    return any(each.raddr and each.raddr.port == port for each in server.net_connections("tcp"))


def main() -> None:
    """Measure the rounds, then the time until the stalled client is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=4)
    asked = parser.parse_args()
    if asked.rounds < 2:
        parser.error("--rounds: at least 2, one without and one with the stalled client")
    table = Table("stalled")
    p99s_ms: dict[int, list[float]] = {0: [], 1: []}
    with load_client() as client:
        cores = leave_a_core()
        with RUNNERS["ours"](LOAD, cores) as served, feeding(served, LOAD) as feed:
            feed.begin.set()
            for number in range(asked.rounds):
                stalled = number % 2
                seen = measure(client, served, stalled=stalled, seconds=asked.seconds)
                p99s_ms[stalled].append(seen["p99_ms"])
                table.add(
                    {
                        "round": number + 1,
                        "reading": LOAD.clients - stalled,
                        "stalled": stalled,
                        "deliveries/s": round(seen["deliveries"] / seen["elapsed_s"]),
                        "lost": seen["lost"],
                        "closed": seen["closed"],
                        "p50 ms": round(seen["p50_ms"], 2),
                        "p99 ms": round(seen["p99_ms"], 2),
                        "max ms": round(seen["max_ms"], 1),
                    }
                )
            without_ms, with_ms = map(statistics.median, p99s_ms.values())
            closed_s = seconds_until_closed(client, served)
    verdict = Table("stalled-summary")
    verdict.add(
        {
            "p99 ms without": round(without_ms, 2),
            "p99 ms with": round(with_ms, 2),
            "with/without": round(with_ms / without_ms, 2),
            "closed after s": "not at all" if closed_s is None else round(closed_s, 1),
        }
    )
    table.save()
    verdict.save()


if __name__ == "__main__":
    main()
