"""A hundred clients of `/ws`, without and with one more that does not read.

For each frequency: what the clients got, what they were told they did not get,
what was lost in silence, the time from the event to the client, and what the
server spent. Sequence numbers rise by one per type and symbol, so a client that is
owed an event and not told of it shows as a silent loss.
"""

import argparse
import asyncio
import socket
import time
from functools import partial

import msgspec
import psutil
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from tests.benchmarks.cpu import busy_s
from tests.benchmarks.report import Table
from tests.live_server import LiveServer

TS_EVERY = 16


class Client(WSListener):
    """Count events by their sequence numbers, and sample their age on arrival."""

    def __init__(self) -> None:
        self.first: dict[bytes, int] = {}
        self.last: dict[bytes, int] = {}
        self.events = 0
        self.told = 0
        self.disordered = 0
        self.ages_ms: list[float] = []
        self.counting = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame in, as cheaply as can be: this process must not be the limit."""
        if frame.msg_type != WSMsgType.TEXT or not self.counting:
            return
        payload = frame.get_payload_as_bytes()
        if payload[-2:] != b'"}':
            self._notice(payload)
            return
        comma = payload.index(b",")
        if payload.startswith(b'"symbol"', comma + 1):
            comma = payload.index(b",", comma + 1)
        topic = payload[:comma]
        at = payload.rfind(b'"seq":') + 6
        seq = int(payload[at : payload.index(b",", at)])
        if seq <= self.last.get(topic, 0):
            self.disordered += 1
        self.first.setdefault(topic, seq)
        self.last[topic] = seq
        self.events += 1
        if not self.events % TS_EVERY and (ts := payload.rfind(b'"ts":')) > 0:
            sent_us = int(payload[ts + 5 : payload.index(b",", ts)])
            self.ages_ms.append(time.time_ns() / 1e6 - sent_us / 1e3)

    def _notice(self, payload: bytes) -> None:
        notice = msgspec.json.decode(payload)
        if notice["type"] == "conflated" and self.first:
            self.told += notice["count"]

    @property
    def silent(self) -> int:
        """Count the events this client is owed and was not told of."""
        owed = sum(last - self.first[topic] + 1 for topic, last in self.last.items())
        return owed - self.events - self.told


async def stalled_client(port: int) -> socket.socket:
    """Open a connection that never reads what it is sent."""
    loop = asyncio.get_running_loop()
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.setblocking(False)
    await loop.sock_connect(stalled, ("127.0.0.1", port))
    await loop.sock_sendall(
        stalled,
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    return stalled


async def measure(
    server: LiveServer, *, clients: int, frequency_ms: int, stalled: bool, seconds: float
) -> dict[str, object]:
    """Run one round and give its row."""
    measured = [Client() for _ in range(clients)]
    transports = [(await ws_connect(partial(_same, c), server.ws_url))[0] for c in measured]
    staller = await stalled_client(server.port) if stalled else None
    transports[0].send(WSMsgType.TEXT, msgspec.json.encode({"frequency_ms": frequency_ms}))
    await asyncio.sleep(2)
    worker, own = server.worker(), psutil.Process()
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
        transport.disconnect()
    if staller is not None:
        staller.close()
    await asyncio.sleep(1)
    ages = sorted(age for client in measured for age in client.ages_ms)
    events = sum(client.events for client in measured)
    return {
        "frequency ms": frequency_ms,
        "clients": f"{clients}{' + 1 stalled' if stalled else ''}",
        "events/s": round(events / elapsed),
        "told conflated": sum(client.told for client in measured),
        "lost in silence": sum(client.silent for client in measured),
        "out of order": sum(client.disordered for client in measured),
        "p50 ms": round(ages[len(ages) // 2], 1),
        "p99 ms": round(ages[int(len(ages) * 0.99)], 1),
        "server CPU": f"{cpu:.0%}",
        "server µs/event": round(cpu * elapsed / events * 1e6, 1),
        "client CPU": f"{own_cpu:.0%}",
        "server RSS MB": f"{rss_mb:.0f} {grown_mb:+.1f}",
    }


def _same(client: Client) -> Client:
    return client


async def main() -> None:
    """Measure each frequency, first without and then with the client that does not read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--frequencies", default="50,10")
    asked = parser.parse_args()
    table = Table("ws_clients")
    with LiveServer(page=False) as server:
        for frequency_ms in map(int, asked.frequencies.split(",")):
            for stalled in (False, True):
                row = await measure(
                    server,
                    clients=asked.clients - stalled,
                    frequency_ms=frequency_ms,
                    stalled=stalled,
                    seconds=asked.seconds,
                )
                table.add(row)
    table.save()


if __name__ == "__main__":
    asyncio.run(main())
