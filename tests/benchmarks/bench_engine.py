"""The whole trading engine at once: 100 ticks a second, through runners, to clients.

A recording with a trade each 10 ms is played; so many runners get all of them, each with a
strategy that answers nothing; a client for each gets its events alone, and one gets all. "tick
to client" is from the time of the tick to its arrival: feed, hub, worker process, Lua and stream
lie between. What else the product does goes on beside it, without pages. The clients have a
process of their own. "lost" are events whose number a client has missed, "dropped" the ticks
that the runners had no time for.
"""

import argparse
import asyncio
import time
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from dashboard.feeds.parsing import wslog
from tests.benchmarks.cpu import busy_s
from tests.benchmarks.report import Table
from tests.live_server import LiveServer, free_port

RATE = 100
RECORDED_S = 60
SYMBOL = "BTC/USD"
NS_PER_S = 1_000_000_000
BEGAN_NS = 1_700_000_000 * NS_PER_S
SAMPLED = 8
"""Of so many events the age of one is taken."""
WARMUP_S = 3.0
QUIET = """
function detect_opportunity(market_data, context, indicators)
  return indicators.sma(10) == 0 and {} or nil
end
function filter_commitment() end
function manage_position() end
"""


class Client(WSListener):
    """Count ticks by their numbers, and sample their age on arrival."""

    def __init__(self) -> None:
        self.counting = False
        self.events = 0
        self.lost = 0
        self.ages_ms: list[float] = []
        self._last: dict[bytes, int] = {}

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame in, as cheaply as can be."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        if not payload.startswith(b'{"TickReceived"'):
            return
        runner = payload[15 : payload.index(b",", 15)]
        at = payload.index(b'"seq":') + 6
        seq = int(payload[at : payload.index(b",", at)])
        last = self._last.get(runner, seq - 1)
        self._last[runner] = seq
        if not self.counting:
            return
        self.lost += seq - last - 1
        self.events += 1
        if not self.events % SAMPLED:
            at = payload.index(b'"ts":') + 5
            sent_us = int(payload[at : payload.index(b",", at)])
            self.ages_ms.append(time.time_ns() / 1e6 - sent_us / 1e3)


def record(file: Path) -> None:
    """Write a recording of our own stream, which is played again and again."""
    step_ns = NS_PER_S // RATE
    with file.open("w") as lines:
        for number in range(RATE * RECORDED_S):
            price = 45_000 + number % 100 / 4
            text = (
                f'{{"type":"trade","symbol":"{SYMBOL}","exchange":"CRYPTO","price":{price},'
                f'"size":0.25,"side":"buy","ts":{number},"seq":{number},"id":"e:{number}"}}'
            )
            lines.write(wslog.encode_received(BEGAN_NS + number * step_ns, text))


def follow(url: str, runners: list[str], seconds: float, told: Connection) -> None:
    """Run a client for each runner and one for all, and tell what they saw."""

    async def run() -> None:
        clients = [Client() for _ in (*runners, "")]
        for client, runner in zip(clients, [*runners, ""], strict=True):
            query = f"?runners={runner}" if runner else ""
            await ws_connect(partial(_same, client), url + query)
        await asyncio.sleep(WARMUP_S)
        told.send("measuring")
        for client in clients:
            client.counting = True
        began, spent_s = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        passed_s = time.perf_counter() - began
        ages = sorted(age for client in clients for age in client.ages_ms)
        told.send(
            {
                "deliveries/s": round(sum(each.events for each in clients) / passed_s),
                "lost": sum(each.lost for each in clients),
                "p50 ms": round(ages[len(ages) // 2], 1),
                "p99 ms": round(ages[int(len(ages) * 0.99)], 1),
                "max ms": round(ages[-1], 1),
                "client CPU": f"{(time.process_time() - spent_s) / passed_s:.0%}",
            }
        )

    uvloop.run(run())


def _same(client: Client) -> Client:
    return client


def playing(file: Path, port: int) -> LiveServer:
    """Make the product that plays a recording."""
    record(file)
    return LiveServer(page=False, stream_port=port, feed="replay", replay_file=file)


def measure(runners: int, seconds: float) -> dict[str, object]:
    """Run the product with so many runners and give its row."""
    port = free_port()
    with (
        TemporaryDirectory(prefix="livetape-engine-") as folder,
        playing(Path(folder, "ticks.wslog"), port) as server,
        httpx.Client(base_url=f"{server.url}/api", timeout=60) as api,
    ):
        api.post("/strategies", json={"name": "quiet", "code": QUIET}).raise_for_status()
        names = [f"runner-{number:03}" for number in range(runners)]
        for name in names:
            asked = {"runner_id": name, "symbol": SYMBOL, "strategy_name": "quiet"}
            while api.post("/runners", json=asked).status_code == 429:
                time.sleep(0.1)
        here, there = get_context("spawn").Pipe()
        url = f"ws://127.0.0.1:{port}/ws/events"
        process = get_context("spawn").Process(target=follow, args=(url, names, seconds, there))
        process.start()
        here.recv()
        worker = server.worker()
        sandbox = worker.children(recursive=True)
        before = busy_s(worker), sum(map(busy_s, sandbox)), time.perf_counter()
        seen = here.recv()
        passed_s = time.perf_counter() - before[2]
        own, theirs = busy_s(worker) - before[0], sum(map(busy_s, sandbox)) - before[1]
        process.join()
        dropped = sum(api.get(f"/runners/{name}").json()["stats"]["dropped"] for name in names)
    return {
        "runners": runners,
        **seen,
        "dropped": dropped,
        "server CPU": f"{own / passed_s:.0%}",
        "workers' CPU": f"{theirs / passed_s:.0%}",
        "cores": psutil.cpu_count(),
    }


def main() -> None:
    """Measure each number of runners."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", default="10,100")
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    table = Table("engine")
    for runners in map(int, asked.runners.split(",")):
        table.add(measure(runners, asked.seconds))
    table.save()


if __name__ == "__main__":
    main()
