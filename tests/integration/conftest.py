"""One real server for all integration tests that do not need settings of their own."""

from collections.abc import Iterator

import pytest

from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """Give the API of a running product at its default settings."""
    with LiveServer(page=False) as running:
        yield running
