"""The servers that `bench_runner_events.py` measures: ours, and the plainest one.

`python -m tests.benchmarks.runner_event_servers SERVER PORT RUNNERS RATE FILE` serves until it
is ended. It publishes the ticks of so many runners in turn, RATE a second, from within, and
writes into FILE, once a second, how many it has published and the seconds that this took.

The plainest server is what one writes first: a queue for each client, and its own
`json.dumps` of each event.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, serve

from dashboard.access.connection_limits import HANDSHAKES
from dashboard.access.places import Places
from dashboard.bootstrap.product import Product
from dashboard.config import load_settings
from dashboard.core.trading.events import TickReceived
from dashboard.core.trading.model import MarketData
from dashboard.protocols import live
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.listener import StreamListener
from dashboard.streaming.server import StreamSet
from tests.benchmarks.fanout_messages import CYCLE
from tests.benchmarks.feeding import at_rate

LIMIT = 1000
QUEUED = 1000
"""Events that wait for one client of the plainest server."""


def runner_of(number: int, runners: int) -> str:
    """Name the runner that tells an event."""
    return f"runner-{number % runners:03}"


def tick(number: int, runners: int) -> TickReceived:
    """Make the tick of a number; its close says the number and the time, as in `bench_fanout`."""
    close = float(number * CYCLE + time.monotonic_ns() // 1000 % CYCLE)
    ts = time.time_ns()
    return TickReceived(
        runner_id=runner_of(number, runners),
        symbol="BTC/USD",
        exchange="CRYPTO",
        ts_event=ts,
        data=MarketData(
            symbol="BTC/USD",
            timestamp=ts // 1_000_000,
            open=close,
            high=close,
            low=close,
            close=close,
            volume=0.25,
            bid=45_123.25,
            ask=45_123.5,
        ),
    )


class Meter:
    """Tell a file how many events were published, and how long that took."""

    def __init__(self, publish: Callable[[TickReceived], object], runners: int, file: Path) -> None:
        self._publish = publish
        self._runners = runners
        self._file = file
        self._count = 0
        self._spent_s = 0.0

    async def run(self, rate: float) -> None:
        """Publish at a rate, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(at_rate(self._tell, rate))
            group.create_task(self._note())

    def _tell(self, number: int) -> None:
        event = tick(number, self._runners)
        began = time.perf_counter()
        self._publish(event)
        self._spent_s += time.perf_counter() - began
        self._count += 1

    async def _note(self) -> None:
        while True:
            await asyncio.sleep(1)
            beside = self._file.with_suffix(".new")
            beside.write_text(json.dumps({"count": self._count, "spent_s": self._spent_s}))
            beside.replace(self._file)


async def serve_ours(port: int, runners: int, rate: float, file: Path) -> None:
    """Serve the product's own streams, with the simulator beside."""
    with TemporaryDirectory(prefix="livetape-events-") as folder:
        settings = load_settings().model_copy(update={"data_dir": Path(folder)})
        product = Product(settings, history=False)
        places = Places(limit=LIMIT)
        streams = StreamSet(product.web, clients=places, stream_clients=places)
        listener = StreamListener(
            places,
            host="127.0.0.1",
            port=port,
            refusal=lambda _headers: None,
            timeouts=Timeouts(),
            connection_limit=LIMIT + HANDSHAKES,
        )
        listener.listen()
        hub = product.hub

        def publish(event: TickReceived) -> None:
            hub.frame(hub.publish(event), live.DIALECT)

        async with product.running(), asyncio.TaskGroup() as group:
            group.create_task(streams.run(listener))
            group.create_task(Meter(publish, runners, file).run(rate))


async def serve_plainly(port: int, runners: int, rate: float, file: Path) -> None:
    """Serve with a queue for each client."""
    queues: dict[asyncio.Queue[TickReceived], str | None] = {}

    async def handle(connection: ServerConnection) -> None:
        request = connection.request
        query = parse_qs(urlsplit(request.path if request else "").query)
        queue: asyncio.Queue[TickReceived] = asyncio.Queue(QUEUED)
        queues[queue] = query.get("runners", [None])[0]
        seq = 0
        try:
            while True:
                event = await queue.get()
                seq += 1
                body = msgspec.structs.asdict(event)
                body |= {"data": msgspec.structs.asdict(event.data), "id": f"e:{seq}", "seq": seq}
                await connection.send(json.dumps({"TickReceived": body}, separators=(",", ":")))
        finally:
            del queues[queue]

    def publish(event: TickReceived) -> None:
        for queue, runner in queues.items():
            if runner in (None, event.runner_id) and not queue.full():
                queue.put_nowait(event)

    async with serve(handle, "127.0.0.1", port, compression=None):
        await Meter(publish, runners, file).run(rate)


SERVERS = {"ours": serve_ours, "plain": serve_plainly}


def main() -> None:
    """Serve what is named."""
    name, port, runners, rate, file = sys.argv[1:]
    run = partial(SERVERS[name], int(port), int(runners), float(rate), Path(file))
    uvloop.run(run())


if __name__ == "__main__":
    main()
