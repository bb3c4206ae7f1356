"""Runner events to clients: ours beside a queue and a `json.dumps` for each client.

So many runners tell RATE ticks a second together; as many clients get one runner's each, and
one more client gets all. The clients are one program in C, in a process of its own, which finds
out by numbers in the events what was lost; the server has a core to itself. "tick to client" is
from the making of the event to its arrival, and "emission" the time in `publish` for one event,
for ours with its encoding.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.cpu import busy_s
from tests.benchmarks.fanout_client import Greeting, LoadClient, load_client
from tests.benchmarks.processes import leave_a_core, running, serving_process, until, wait_for
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
            server = serving_process(process)
            with client.running(
                port,
                greetings,
                symbols=runners,
                replies=0,
                warmup_s=WARMUP_S,
                seconds=seconds,
                field="close",
            ) as reports:
                spent_s, before = 0.0, json.loads(file.read_text())
                for report in reports:
                    if report["event"] == "measuring":
                        spent_s, before = busy_s(server), json.loads(file.read_text())
                    elif report["event"] == "measured":
                        spent_s = busy_s(server) - spent_s
                        return row(name, report, spent_s, before, json.loads(file.read_text()))
    raise RuntimeError(f"the clients of {name} did not get ready")


def row(
    name: str, seen: dict[str, Any], spent_s: float, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, object]:
    """Make the row of a server from what client, system and server say."""
    events = after["count"] - before["count"]
    emission_s = after["spent_s"] - before["spent_s"]
    return {
        "server": name,
        "deliveries/s": round(seen["deliveries"] / seen["elapsed_s"]),
        "lost": seen["lost"],
        "doubled": seen["doubled"],
        "disordered": seen["disordered"],
        "p50 ms": round(seen["p50_ms"], 1),
        "p99 ms": round(seen["p99_ms"], 1),
        "max ms": round(seen["max_ms"], 1),
        "emission µs": round(emission_s / max(1, events) * 1e6, 1),
        "server CPU": f"{spent_s / seen['elapsed_s']:.0%}",
        "client CPU": f"{seen['cpu_s'] / seen['elapsed_s']:.0%}",
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
