"""Runner events to clients: ours beside a queue and a `json.dumps` for each client.

So many runners tell RATE ticks a second together; as many clients get one runner's each, and
one more client gets all. The clients are one program in C, in a process of its own, which finds
out by numbers in the events what was lost; the server has a core to itself. "tick to client" is
from the making of the event to its arrival, and "emission" the time in `publish` for one event,
for ours with its encoding. "waited" is how long the server was ready to run and its core busy
with something else: where that is much, the machine was not quiet and the row says little.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self

import psutil

from tests.benchmarks.cpu import busy_s, waited_s
from tests.benchmarks.fanout_client import Greeting, LoadClient, Report, load_client
from tests.benchmarks.processes import leave_a_core, running, until, wait_for
from tests.benchmarks.report import Table
from tests.benchmarks.runner_event_servers import SERVERS, runner_of
from tests.live_server import environment, free_port

WARMUP_S = 2.0
ADDRESS = "/ws/events"


def measure(
    name: str, client: LoadClient, cores: set[int], *, runners: int, rate: int, seconds: float
) -> dict[str, object]:
    """Run one server and give its row.

    Raises:
        RuntimeError: when not all clients got ready.
    """
    greetings = [
        Greeting(f"{ADDRESS}?runners={runner_of(each, runners)}") for each in range(runners)
    ]
    greetings.append(Greeting(ADDRESS))
    port = free_port()
    with TemporaryDirectory(prefix="livetape-events-") as folder:
        file = Path(folder, "published")
        told = map(str, (port, runners, rate, file))
        command = [sys.executable, "-m", "tests.benchmarks.runner_event_servers", name, *told]
        with running(command, environment(), cores=cores) as process:
            wait_for(port)
            until(file.exists, "the first events were published")
            server = psutil.Process(process.pid)
            with client.running(
                port,
                greetings,
                symbols=runners,
                replies=0,
                warmup_s=WARMUP_S,
                seconds=seconds,
                field="close",
            ) as reports:
                before = Seen.of(server, file)
                for report in reports:
                    if report["event"] == "measuring":
                        before = Seen.of(server, file)
                    elif report["event"] == "measured":
                        return row(name, report, before, Seen.of(server, file))
    raise RuntimeError(f"the clients of {name} did not get ready")


class Seen(NamedTuple):
    """What a server has spent and published so far."""

    busy_s: float
    waited_s: float
    events: int
    emission_s: float

    @classmethod
    def of(cls, server: psutil.Process, file: Path) -> Self:
        """Look at it now."""
        told = json.loads(file.read_text())
        return cls(busy_s(server), waited_s(server), told["count"], told["spent_s"])


def row(name: str, report: Report, before: Seen, after: Seen) -> dict[str, object]:
    """Make the row of a server from what the client reports and what was seen of the server."""
    passed_s = report["elapsed_s"]
    emission_s, events = after.emission_s - before.emission_s, after.events - before.events
    return {
        "server": name,
        "deliveries/s": round(report["deliveries"] / passed_s),
        "lost": report["lost"],
        "doubled": report["doubled"],
        "disordered": report["disordered"],
        "p50 ms": round(report["p50_ms"], 1),
        "p99 ms": round(report["p99_ms"], 1),
        "max ms": round(report["max_ms"], 1),
        "emission µs": round(emission_s / max(1, events) * 1e6, 1),
        "server CPU": f"{(after.busy_s - before.busy_s) / passed_s:.0%}",
        "waited": f"{(after.waited_s - before.waited_s) / passed_s:.0%}",
        "client CPU": f"{report['cpu_s'] / passed_s:.0%}",
    }


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", type=int, default=100)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    table = Table("runner_events")
    with load_client() as client:
        cores = leave_a_core()
        for name in SERVERS:
            table.add(
                measure(
                    name,
                    client,
                    cores,
                    runners=asked.runners,
                    rate=asked.rate,
                    seconds=asked.seconds,
                )
            )
    table.save()


if __name__ == "__main__":
    main()
