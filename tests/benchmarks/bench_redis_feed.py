"""CPU from the socket to the hub: the Redis feed beside redis-py's own loop that only decodes.

A quarter of the messages are books of 20 orders (3 kB), a quarter trades, half
quotes. The peer is `async for message in pubsub.listen(): json.loads(...)`.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import redis
import uvloop
from redis import asyncio as redis_asyncio

from dashboard.core.conflation import OverflowPolicy
from dashboard.feeds.redis_feed import CHANNEL, RedisFeed
from dashboard.hub.hub import Hub
from tests.benchmarks.report import Table
from tests.redis_server import INSTRUMENTS, RedisServer
from tests.unit.feeds.parsing.test_exchange import BOOK, QUOTE, TRADE, envelope, order

SECONDS = 5
RATES = (1_000, 5_000, 20_000)
BATCHES_PER_S = 200

Count = Callable[[], int]


def messages() -> list[bytes]:
    """Give the mix, in turn."""
    ladder = {
        "bids": [order(100 - step / 4, 5 + step) for step in range(1, 11)],
        "asks": [order(100 + step / 4, 5 + step, "Sell") for step in range(1, 11)],
    }
    mix = [
        envelope("orderbook_update", BOOK | ladder, instrument="AAPL"),
        envelope("bbo_update", QUOTE, instrument="AAPL"),
        envelope("trade", TRADE, instrument="AAPL"),
        envelope("bbo_update", QUOTE, instrument="AAPL"),
    ]
    return [json.dumps(each, separators=(",", ":")).encode() for each in mix]


def publish(url: str, rate: int) -> None:
    """Publish at an even rate for `SECONDS`."""
    mix = messages()
    each = rate // BATCHES_PER_S
    with redis.Redis.from_url(url) as client:
        began = time.perf_counter()
        for batch in range(SECONDS * BATCHES_PER_S):
            with client.pipeline(transaction=False) as pipeline:
                for number in range(each):
                    pipeline.publish(CHANNEL, mix[(batch * each + number) % len(mix)])
                pipeline.execute()
            time.sleep(max(0.0, began + (batch + 1) / BATCHES_PER_S - time.perf_counter()))


@asynccontextmanager
async def feed(url: str) -> AsyncGenerator[Count]:
    """Run the feed into a hub with one subscriber; count the messages."""
    hub = Hub(epoch="bench", clock=time.time_ns, resume_events=100_000)
    hub.subscribe(
        name="bench", wants=lambda _: True, capacity=512, policy=OverflowPolicy.DROP_OLDEST
    )
    running = RedisFeed(url, INSTRUMENTS, clock=time.time_ns, stale_after_ms=2000)
    task = asyncio.create_task(running.run(hub.publish))
    await until(lambda: running.last_sign_ns is not None)
    try:
        yield lambda: hub.published * 4 // 5  # of four messages, the trade makes two events
    finally:
        await cancelled(task)


@asynccontextmanager
async def listener(url: str) -> AsyncGenerator[Count]:
    """Run the peer; count the messages."""
    counted = [0]

    async def listen() -> None:
        async for message in pubsub.listen():
            if message["type"] == "message":
                json.loads(message["data"])
                counted[0] += 1

    async with redis_asyncio.Redis.from_url(url) as client, client.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        task = asyncio.create_task(listen())
        try:
            yield lambda: counted[0]
        finally:
            await cancelled(task)


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again."""
    while not condition():  # noqa: ASYNC110 - neither side tells
        await asyncio.sleep(0.01)


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def measure(server: RedisServer, rate: int, *, peer: bool) -> tuple[float, int]:
    """Give the CPU seconds that all messages cost, and how many were lost."""
    async with (listener if peer else feed)(server.url) as count:
        publisher = await asyncio.create_subprocess_exec(
            sys.executable, __file__, server.url, str(rate)
        )
        await until(lambda: count() > 0)
        began = time.process_time()
        await publisher.wait()
        seen = -1
        while count() > seen:
            seen = count()
            await asyncio.sleep(0.2)
        return time.process_time() - began, SECONDS * rate - seen


def main() -> None:
    """Measure both at every rate."""
    table = Table("redis_feed")
    with RedisServer() as server:
        server.fill()
        for rate in RATES:
            own, lost = uvloop.run(measure(server, rate, peer=False))
            peer, _ = uvloop.run(measure(server, rate, peer=True))
            table.add(
                {
                    "messages/s": rate,
                    "feed us/message": round(own / SECONDS / rate * 1e6, 1),
                    "feed CPU %": round(own / SECONDS * 100, 1),
                    "listen us/message": round(peer / SECONDS / rate * 1e6, 1),
                    "feed/listen": round(own / peer, 2),
                    "lost": lost,
                }
            )
    table.save()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        publish(sys.argv[1], int(sys.argv[2]))
    else:
        main()
