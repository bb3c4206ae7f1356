"""Fan-out of Server-Sent Events: ours, a plain Starlette endpoint, and Nchan where it is installed.

All three send the same events; ours and the plain one run on Granian with the
settings that the product has, and publish from within; Nchan, an nginx module in
C, gets them by HTTP from a process of its own. For each load: what was delivered,
what was lost and what of that the clients were told, the time from the event to
the client, and what the server spent per delivered event.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import uvloop

from tests.benchmarks.report import Table
from tests.benchmarks.sse_servers import publish_steadily
from tests.live_server import ROOT, free_port

LOADS = ((100, 500), (100, 1000), (500, 20))
NGINX = shutil.which("nginx") or ""
NCHAN = next(Path("/usr/lib").glob("**/ngx_nchan_module.so"), None)
SAMPLE_EVERY = 20
READ_BYTES = 1 << 18
REQUEST = b"GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"


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


@contextmanager
def granian(app: str, rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Serve one of our two applications as the product is served; give port and worker."""
    port = free_port()
    target = f"tests.benchmarks.sse_servers:{app}"
    command = ["-m", "granian", "--interface", "asgi", "--factory", "--workers", "1"]
    with _process(
        [sys.executable, *command, "--log-level", "warning", "--port", str(port), target],
        env=os.environ | {"SSE_BENCH_RATE": str(rate), "PYTHONPATH": str(ROOT)},
    ) as process:
        _wait_for(port)
        yield port, _busiest(process)


@contextmanager
def nchan(rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Run nginx with Nchan and a process that publishes to it; give port and worker."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="livetape-nchan-") as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(_nginx_config(folder, port))
        with _process([NGINX, "-p", folder, "-c", str(config)]) as process:
            _wait_for(port)
            publisher = multiprocessing.get_context("spawn").Process(
                target=publish_to_nchan, args=(port, rate), daemon=True
            )
            publisher.start()
            try:
                yield port, _busiest(process)
            finally:
                publisher.kill()
                publisher.join()


def _nginx_config(folder: str, port: int) -> str:
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
load_module {NCHAN};
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
user {Path(folder).owner()};
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; {temporary}
  server {{
    listen 127.0.0.1:{port};
    location = /sse {{ nchan_subscriber eventsource; nchan_channel_id bench;
      nchan_subscriber_first_message newest; }}
    location = /publish {{ nchan_publisher http; nchan_channel_id bench;
      nchan_message_buffer_length 512; nchan_message_timeout 10s; }}
  }}
}}
"""


def publish_to_nchan(port: int, rate: int) -> None:
    """Post events over one connection, without waiting for the answers."""

    async def post() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        def publish(_number: int, text: str) -> None:
            head = f"POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}"
            writer.write(f"{head}\r\n\r\n{text}".encode())

        async def read() -> None:
            while await reader.read(READ_BYTES):
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            group.create_task(publish_steadily(publish, rate))

    uvloop.run(post())


@contextmanager
def _process(
    command: list[str], env: dict[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


def _busiest(process: subprocess.Popen[bytes]) -> psutil.Process:
    children = psutil.Process(process.pid).children()
    return max(children, key=lambda child: child.memory_info().rss)


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


def busy_s(process: psutil.Process) -> float:
    """Give the CPU time of a process so far, in seconds."""
    times = process.cpu_times()
    return times.user + times.system


def _same(client: Client) -> Client:
    return client


def main() -> None:
    """Measure each load on each server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--servers", default="ours,plain,nchan")
    parser.add_argument("--loads", default=",".join(f"{c}x{r}" for c, r in LOADS))
    asked = parser.parse_args()
    table = Table("sse")
    for load in asked.loads.split(","):
        clients, rate = map(int, load.split("x"))
        for server in asked.servers.split(","):
            if server == "nchan" and not (NGINX and NCHAN):
                continue
            with nchan(rate) if server == "nchan" else granian(server, rate) as (port, worker):
                measuring = measure(
                    server, port, worker, clients=clients, rate=rate, seconds=asked.seconds
                )
                table.add(uvloop.run(measuring))
    table.save()


if __name__ == "__main__":
    main()
