"""Start the servers that `bench_sse.py` measures, and what publishes to them."""

import asyncio
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

import psutil
from redis import Redis

from tests.benchmarks.feeding import feed, http_post
from tests.benchmarks.processes import calling
from tests.benchmarks.sse_servers import envelope, publish_steadily
from tests.benchmarks.web_servers import granian, nginx
from tests.live_server import LiveServer
from tests.redis_server import RedisServer

LOCATIONS = """
    location = /sse/AAPL { nchan_subscriber eventsource; nchan_channel_id bench;
      nchan_subscriber_first_message newest; }
    location = /publish { nchan_publisher http; nchan_channel_id bench;
      nchan_message_buffer_length 512; nchan_message_timeout 10s; }
"""


def serving(server: str, rate: int) -> AbstractContextManager[tuple[int, psutil.Process]]:
    """Give the server of a name."""
    match server:
        case "nchan":
            return nchan(rate)
        case "product":
            return product(rate)
        case _:
            return granian(f"tests.benchmarks.sse_servers:{server}", SSE_BENCH_RATE=rate)


@contextmanager
def nchan(rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Run nginx with Nchan and a process that publishes to it; give port and worker."""
    with nginx(LOCATIONS) as (port, worker), calling(publish_to_nchan, port, rate):
        yield port, worker


@contextmanager
def product(rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Run the product on a Redis and a process that publishes to that; give port and worker."""
    with RedisServer() as redis:
        redis.fill()
        with (
            LiveServer(page=False, feed="redis", redis_url=redis.url) as server,
            calling(publish_to_redis, redis.url, rate),
        ):
            yield server.port, server.worker()


def publish_to_redis(url: str, rate: int) -> None:
    """Publish events as the exchange does."""
    with Redis.from_url(url) as redis:
        asyncio.run(
            publish_steadily(lambda _number, text: redis.publish("market_data", text), rate)
        )


def publish_to_nchan(port: int, rate: int) -> None:
    """Post events over one connection, without waiting for the answers."""
    feed(port, lambda number: http_post("/publish", envelope(number).encode()), rate)
