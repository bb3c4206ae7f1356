import asyncio

import pytest

from dashboard.access.keyless import PLACES, KeylessPlaces

BURST = 1000


class Client:
    """A client that leaves when it is asked to."""

    def __init__(self, places: KeylessPlaces) -> None:
        self.displaced = False
        self._places = places

    def displace(self) -> None:
        self.displaced = True
        self._places.leave(self)


async def test_a_burst_goes_through_and_few_are_inside_at_a_time() -> None:
    places, inside, most = KeylessPlaces(), 0, 0

    async def show_a_key() -> Client:
        nonlocal inside, most
        client = Client(places)
        assert await places.enter(client)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        places.leave(client)
        return client

    clients = await asyncio.gather(*(show_a_key() for _ in range(BURST)))
    assert most == PLACES
    assert not any(each.displaced for each in clients)


async def test_who_is_late_makes_room_for_one_who_waits_and_the_oldest_first() -> None:
    places = KeylessPlaces(limit=2, patience_s=0.01)
    late, later = Client(places), Client(places)
    for each in (late, later):
        assert await places.enter(each)
    assert await places.enter(Client(places))
    assert (late.displaced, later.displaced) == (True, False)


async def test_who_is_late_stays_as_long_as_nobody_waits() -> None:
    places = KeylessPlaces(limit=1, patience_s=0)
    late = Client(places)
    assert await places.enter(late)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not late.displaced
    assert await places.enter(Client(places))
    assert late.displaced


async def test_who_waits_for_too_long_is_refused() -> None:
    places = KeylessPlaces(limit=1, patience_s=60, wait_s=0)
    first = Client(places)
    assert await places.enter(first)
    assert not await places.enter(Client(places))
    places.leave(first)
    places.leave(first)
    assert await places.enter(Client(places))


@pytest.mark.parametrize("leaves", [True, False])
async def test_who_gives_up_waiting_takes_no_place(leaves: bool) -> None:
    places = KeylessPlaces(limit=1, patience_s=60)
    first = Client(places)
    assert await places.enter(first)
    waiting = asyncio.create_task(places.enter(Client(places)))
    await asyncio.sleep(0)
    if leaves:
        places.leave(first)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    places.leave(first)
    assert await places.enter(Client(places))
