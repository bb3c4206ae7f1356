"""Fan-out over WebSocket: ours and four peers, with the same messages and the same clients.

`ours` is the stand-alone stream server as it is, in OpenAlgo's Quote mode, fed
through Redis: what it spends includes reading and folding the trades. The peers
get the finished text, byte for byte what ours sends: Nchan by HTTP, the others as
lines over TCP. One process feeds every server at an even pace. The clients are
one program in C; it finds out what was lost by the numbers in the messages.

A load CLIENTSxRATE sends every message to every client; in `sparse` each of 1,000
clients holds its own 50 of 1,000 symbols, at 10,000 messages/s or at another rate:
`sparse:15000`. A delivery is a message that a client got and had not had. The server
has a core to itself; client, feeder and Redis have the others. Its CPU per delivery is
also given as a multiple of Nchan's, or where Nchan was not measured, of the best peer's.
"waited" is how long it was ready to run and its core busy with something else: where
that is much, the machine was not quiet and the row says little (Granian's threads also
wait for each other). With `--rounds` all is measured so many times, the servers in turn,
and the medians follow.
"""

import argparse
import time
from collections import defaultdict
from statistics import median

import psutil

from tests.benchmarks.cpu import busy_s, waited_s
from tests.benchmarks.fanout_client import LoadClient, load_client
from tests.benchmarks.fanout_runners import RUNNERS, Load, feeding, greetings, missing
from tests.benchmarks.processes import leave_a_core
from tests.benchmarks.report import Table

SERVERS = ("nchan", "node", "websockets", "starlette", "ours")
LOADS = ("100x500", "100x2000", "1000x100", "1000x1000", "sparse")
DENSE_SYMBOLS = 50
SPARSE = Load("sparse", clients=1000, rate=10_000, symbols=1000, held=50)
WARMUP_S = 1.5


def loads_of(names: str) -> list[Load]:
    """Read what is given for `--loads`."""
    return [load_of(name) for name in names.split(",")]


def load_of(name: str) -> Load:
    """Read CLIENTSxRATE, or `sparse`, or `sparse:RATE`.

    Raises:
        ArgumentTypeError: when it is none of them.
    """
    if name == SPARSE.name:
        return SPARSE
    shape, _, rate = name.rpartition(":")
    if shape == SPARSE.name and rate.isdecimal():
        return SPARSE._replace(name=name, rate=int(rate))
    clients, _, rate = name.partition("x")
    if not (clients.isdecimal() and rate.isdecimal()):
        raise argparse.ArgumentTypeError(f"{name!r} is none of CLIENTSxRATE, sparse, sparse:RATE")
    return Load(name, int(clients), int(rate), DENSE_SYMBOLS, DENSE_SYMBOLS)


def servers_of(names: str) -> list[str]:
    """Read what is given for `--servers`.

    Raises:
        ArgumentTypeError: when one is not known.
    """
    servers = names.split(",")
    for name in servers:
        if name not in RUNNERS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(RUNNERS)}")
    return servers


class Usage:
    """The CPU time of server and feeder, from the making of this on."""

    def __init__(self, server: psutil.Process, feeder: psutil.Process) -> None:
        self._server, self._feeder = server, feeder
        self._before = self._read()

    def until_now(self) -> dict[str, float]:
        """Give the seconds that passed, that each was busy, and that the server had no core."""
        names = ("wall_s", "server_s", "feeder_s", "waited_s")
        spent = (now - then for now, then in zip(self._read(), self._before, strict=True))
        return dict(zip(names, spent, strict=True))

    def _read(self) -> tuple[float, float, float, float]:
        busy = busy_s(self._server), busy_s(self._feeder)
        return (time.perf_counter(), *busy, waited_s(self._server))


def measure(
    server: str, load: Load, client: LoadClient, cores: set[int], seconds: float
) -> dict[str, float]:
    """Run one round; give what the load client reports, and what the others spent.

    Raises:
        RuntimeError: when not all clients got ready.
    """
    with (
        RUNNERS[server](load, cores) as served,
        feeding(served, load) as feed,
        client.running(
            served.port,
            greetings(served, load),
            symbols=load.symbols,
            replies=served.replies,
            warmup_s=WARMUP_S,
            seconds=seconds,
        ) as reports,
    ):
        usage, before = None, 0
        for report in reports:
            match report["event"]:
                case "ready":
                    feed.begin.set()
                case "measuring":
                    usage = Usage(served.process, feed.process)
                    before = feed.published.value
                case "measured" if usage is not None:
                    fed = {"fed": feed.published.value - before}
                    rss = {"rss_mb": served.process.memory_info().rss / 2**20}
                    return report | usage.until_now() | fed | rss
    raise RuntimeError(f"the clients of {server} did not get ready for {load.name}")


def cost_us(seen: dict[str, float]) -> float:
    """Give what the server spent per delivery."""
    return seen["server_s"] / max(1, seen["deliveries"]) * 1e6


def baseline_us(rounds: dict[str, dict[str, float]]) -> float | None:
    """Give what Nchan spent per delivery, or the best peer; None where no peer was measured."""
    peers = {server: cost_us(seen) for server, seen in rounds.items() if "ours" not in server}
    return peers.get("nchan", min(peers.values(), default=None))


def figures(server: str, rounds: dict[str, dict[str, float]]) -> dict[str, float]:
    """Give of what was seen of a server in its round what can be compared between rounds."""
    seen = rounds[server]
    cost, baseline = cost_us(seen), baseline_us(rounds)
    return {
        "lost": seen["lost"],
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "busy": seen["server_s"] / seen["wall_s"],
        "cost_us": cost,
        "ratio": cost / baseline if baseline else float("nan"),
    }


def row(load: Load, server: str, rounds: dict[str, dict[str, float]]) -> dict[str, object]:
    """Make the row of a server, the last one of the rounds of a load."""
    seen = rounds[server]
    wall_s = seen["wall_s"]
    due = seen["fed"] * load.clients * load.held / load.symbols
    baseline = baseline_us(rounds)
    return {
        "server": server,
        "load": load.name,
        "delivered": f"{seen['deliveries'] / due:.1%}",
        "lost": seen["lost"],
        "doubled": seen["doubled"],
        "disordered": seen["disordered"],
        "closed": seen["closed"],
        "deliveries/s": round(seen["deliveries"] / seen["elapsed_s"]),
        "bytes": round(seen["bytes"] / max(1, seen["deliveries"] + seen["doubled"])),
        "p50 ms": round(seen["p50_ms"], 2),
        "p99 ms": round(seen["p99_ms"], 2),
        "max ms": round(seen["max_ms"], 1),
        "server CPU": f"{seen['server_s'] / wall_s:.0%}",
        "µs/delivery": round(cost_us(seen), 3),
        "of peer's": f"{cost_us(seen) / baseline:.2f}" if baseline else "",
        "waited": f"{seen['waited_s'] / wall_s:.0%}",
        "client CPU": f"{seen['cpu_s'] / seen['elapsed_s']:.0%}",
        "feeder CPU": f"{seen['feeder_s'] / wall_s:.0%}",
        "server RSS MB": round(seen["rss_mb"]),
    }


def median_row(load: str, server: str, rows: list[dict[str, float]]) -> dict[str, object]:
    """Make the row of a server's medians over some rounds, with the sum of what was lost."""
    middle = {name: median(row[name] for row in rows) for name in rows[0]}
    p99s = [row["p99_ms"] for row in rows]
    return {
        "server": server,
        "load": load,
        "rounds": len(rows),
        "lost": sum(row["lost"] for row in rows),
        "p50 ms": round(middle["p50_ms"], 1),
        "p99 ms": round(middle["p99_ms"], 1),
        "p99 of rounds": f"{min(p99s):.0f} to {max(p99s):.0f}",
        "server CPU": f"{middle['busy']:.0%}",
        "µs/delivery": round(middle["cost_us"], 3),
        "of peer's": round(middle["ratio"], 2),
    }


def told_missing(server: str) -> bool:
    """Say what a server needs that this machine does not have; tell whether that is so."""
    problem = missing(server)
    if problem:
        print(f"without {server}: {problem}")
    return problem is not None


def main() -> None:
    """Measure each load on each server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--servers", type=servers_of, default=",".join(SERVERS))
    parser.add_argument("--loads", type=loads_of, default=",".join(LOADS))
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    table = Table("fanout")
    seen: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    with load_client() as client:
        cores = leave_a_core()
        servers = [each for each in asked.servers if not told_missing(each)]
        for load in asked.loads * asked.rounds:
            rounds: dict[str, dict[str, float]] = {}
            for server in servers:
                try:
                    rounds[server] = measure(server, load, client, cores, asked.seconds)
                except RuntimeError as error:
                    print(f"{server} at {load.name}: {error}", flush=True)
                else:
                    table.add(row(load, server, rounds))
                    seen[load.name, server].append(figures(server, rounds))
    table.save()
    if asked.rounds > 1:
        medians = Table("fanout_medians")
        for (load_name, server), rows in seen.items():
            medians.add(median_row(load_name, server, rows))
        medians.save()


if __name__ == "__main__":
    main()
