"""The real product on an exchange's Redis, anew for each module here."""

from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def server(redis: RedisServer) -> Iterator[LiveServer]:
    """Give the product on that Redis, in place of the simulator."""
    with LiveServer(feed="redis", redis_url=redis.url) as running:
        yield running
