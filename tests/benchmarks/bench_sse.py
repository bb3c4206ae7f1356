"""Fan-out of Server-Sent Events: ours, a plain Starlette endpoint, and Nchan where it is installed.

All send the same events. Ours and the plain one run on Granian with the settings
that the product has, and publish from within; Nchan, an nginx module in C, gets
them by HTTP from a process of its own. "product" is the whole of ours as it is
served, fed through Redis: what it spends includes reading that. For each load:
what was delivered, what was lost and how many clients were told so, the time from
the event to the client, and what the server spent per delivered event.
"""

import argparse
import asyncio
import time
from functools import partial

import psutil
import uvloop

from tests.benchmarks.cpu import busy_s
from tests.benchmarks.report import Table
from tests.benchmarks.sse_runners import serving
from tests.benchmarks.web_servers import NCHAN, NGINX

LOADS = ((100, 500), (100, 1000), (500, 20))
SAMPLE_EVERY = 20
READ_BYTES = 1 << 18
REQUEST = b"GET /sse/AAPL HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"


class Client(asyncio.BufferedProtocol):
    """Count events by the numbers in them, and sample their age, as cheaply as can be."""

    def __init__(self, index: int) -> None:
        self.first = 0
        self.last = 0
        self.events = 0
        self.warns = 0
        self.ages_ms: list[float] = []
        self.counting = False
        self._sample = index % SAMPLE_EVERY
        self._buffer = bytearray(READ_BYTES)
        self._rest = b""

    def get_buffer(self, sizehint: int) -> bytearray:
        """Give the one buffer to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what has come; an event may be cut between two reads."""
        data = self._rest + self._buffer[:nbytes]
        whole = data.rfind(b"\n\n") + 2
        self._rest = bytes(data[whole:])
        at = data.find(b'"n":', 0, whole)
        if not self.counting or at < 0:
            return
        self.events += data.count(b'"n":', 0, whole)
        self.warns += data.count(b"event: warn", 0, whole)
        self.first = self.first or _number(data, at + 4)
        self.last = _number(data, data.rfind(b'"n":', 0, whole) + 4)
        if self.last >= self._sample:
            self._take_sample(data)

    def _take_sample(self, data: bytes) -> None:
        at = data.find(b'"n":%d,"ns":' % self._sample)
        if at > 0:
            born_ns = _number(data, data.index(b"s", at) + 3)
            self.ages_ms.append((time.time_ns() - born_ns) / 1e6)
        self._sample = self.last - self.last % SAMPLE_EVERY + SAMPLE_EVERY

    @property
    def lost(self) -> int:
        """Count the events that were published between the first and the last and did not come."""
        return self.last - self.first + 1 - self.events


def _number(data: bytes, at: int) -> int:
    end = at
    while 48 <= data[end] <= 57:
        end += 1
    return int(data[at:end])


async def measure(
    server: str, port: int, worker: psutil.Process, *, clients: int, rate: int, seconds: float
) -> dict[str, object]:
    """Run one round and give its row."""
    loop = asyncio.get_running_loop()
    measured = [Client(index) for index in range(clients)]
    transports = [
        (await loop.create_connection(partial(_same, client), "127.0.0.1", port))[0]
        for client in measured
    ]
    for transport in transports:
        transport.write(REQUEST)
    await asyncio.sleep(2)
    own = psutil.Process()
    rss_mb = worker.memory_info().rss / 2**20
    spent_s, own_spent_s, began = busy_s(worker), busy_s(own), time.perf_counter()
    for client in measured:
        client.counting = True
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - began
    cpu = (busy_s(worker) - spent_s) / elapsed
    own_cpu = (busy_s(own) - own_spent_s) / elapsed
    grown_mb = worker.memory_info().rss / 2**20 - rss_mb
    for client, transport in zip(measured, transports, strict=True):
        client.counting = False
        transport.abort()
    ages = sorted(age for client in measured for age in client.ages_ms)
    events = sum(client.events for client in measured)
    return {
        "server": server,
        "load": f"{clients} x {rate}/s",
        "events/s": round(events / elapsed),
        "lost": sum(client.lost for client in measured),
        "warned": sum(bool(client.warns) for client in measured),
        "p50 ms": round(ages[len(ages) // 2], 1),
        "p99 ms": round(ages[int(len(ages) * 0.99)], 1),
        "server CPU": f"{cpu:.0%}",
        "server µs/event": round(cpu * elapsed / events * 1e6, 2),
        "client CPU": f"{own_cpu:.0%}",
        "server RSS MB": f"{rss_mb:.0f} {grown_mb:+.1f}",
    }


def _same(client: Client) -> Client:
    return client


def main() -> None:
    """Measure each load on each server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--servers", default="ours,plain,nchan,product")
    parser.add_argument("--loads", default=",".join(f"{c}x{r}" for c, r in LOADS))
    asked = parser.parse_args()
    table = Table("sse")
    for load in asked.loads.split(","):
        clients, rate = map(int, load.split("x"))
        for server in asked.servers.split(","):
            if server == "nchan" and not (NGINX and NCHAN):
                continue
            with serving(server, rate) as (port, worker):
                measuring = measure(
                    server, port, worker, clients=clients, rate=rate, seconds=asked.seconds
                )
                table.add(uvloop.run(measuring))
    table.save()


if __name__ == "__main__":
    main()
