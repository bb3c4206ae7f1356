import asyncio
import subprocess
import sys

import pytest

from dashboard.endpoints import connections
from dashboard.endpoints.connections import Connections


def test_places_are_given_up_to_the_limit() -> None:
    places = Connections(limit=2)
    assert [places.admit() for _ in range(4)] == [True, True, False, False]
    assert (places.open, places.refused, places.limit) == (2, 2, 2)


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = Connections(limit=1)
    assert places.admit()
    places.release()
    assert places.open == 0
    assert places.admit()
    assert places.refused == 0


async def test_without_connections_it_is_drained() -> None:
    assert await Connections(limit=1).drained()


async def test_it_is_drained_when_the_last_connection_ends() -> None:
    places = Connections(limit=3)
    places.admit()
    places.admit()
    drained = asyncio.ensure_future(places.drained())
    await asyncio.sleep(0)
    places.release()
    await asyncio.sleep(0)
    assert not drained.done()
    places.release()
    assert await asyncio.wait_for(drained, timeout=1)


async def test_a_connection_that_does_not_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "DRAIN_TIMEOUT_S", 0)
    places = Connections(limit=1)
    places.admit()
    assert not await places.drained()


async def test_a_new_connection_after_the_last_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "DRAIN_TIMEOUT_S", 0)
    places = Connections(limit=1)
    places.admit()
    places.release()
    places.admit()
    assert not await places.drained()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    code = (
        "import resource\n"
        "from dashboard.endpoints.connections import allow_open_files\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 300))\n"
        "for count in (64, 200, 1000):\n"
        "    allow_open_files(count)\n"
        "    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["128", "200", "300"]
