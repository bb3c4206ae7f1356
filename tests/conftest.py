"""A real Redis for the tests of the whole product."""

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Give a Redis with the static data of an exchange."""
    with RedisServer() as running:
        running.fill()
        yield running
