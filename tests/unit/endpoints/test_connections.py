import asyncio

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
