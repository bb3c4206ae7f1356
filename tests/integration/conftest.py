"""Real servers for the integration tests that do not need settings of their own."""

from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """Give the API of a running product at its default settings."""
    with LiveServer(page=False) as running:
        yield running


@pytest.fixture(scope="module")
def on_redis(redis: RedisServer) -> Iterator[LiveServer]:
    """Give the API of the product on an exchange's Redis, anew for each module."""
    with LiveServer(page=False, feed="redis", redis_url=redis.url) as running:
        yield running
