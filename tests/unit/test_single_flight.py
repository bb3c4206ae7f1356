import asyncio

import pytest

from dashboard.core.errors import StorageError
from dashboard.single_flight import SingleFlight


class Source:
    """What is asked for; each time it is begun, `flights` has one more to end."""

    def __init__(self) -> None:
        self.flights: list[asyncio.Future[int]] = []
        self.flight = SingleFlight(self._begin)

    def _begin(self) -> asyncio.Future[int]:
        self.flights.append(asyncio.get_running_loop().create_future())
        return self.flights[-1]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_ask_meanwhile_share_one_outcome() -> None:
    source = Source()
    asking = [asyncio.create_task(source.flight.join()) for _ in range(100)]
    await settle()
    source.flights[0].set_result(7)
    assert await asyncio.gather(*asking) == [7] * 100
    assert len(source.flights) == 1
    later = asyncio.create_task(source.flight.join())
    await settle()
    source.flights[1].set_result(8)
    assert await later == 8


async def test_a_failure_is_shared_too_and_the_next_one_begins_anew() -> None:
    source = Source()
    asking = [asyncio.create_task(source.flight.join()) for _ in range(3)]
    await settle()
    source.flights[0].set_exception(StorageError(database="test", problem="gone"))
    for each in asking:
        with pytest.raises(StorageError, match="gone"):
            await each
    later = asyncio.create_task(source.flight.join())
    await settle()
    source.flights[1].set_result(8)
    assert await later == 8


async def test_who_is_cancelled_ends_it_for_nobody_else() -> None:
    source = Source()
    first, second = (asyncio.create_task(source.flight.join()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    source.flights[0].set_result(7)
    assert await second == 7


async def test_a_failure_that_nobody_waits_for_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    asking = asyncio.create_task(source.flight.join())
    await settle()
    asking.cancel()
    source.flights.pop().set_exception(ValueError("gone"))
    del asking
    await settle()
    assert caplog.records == []


async def test_the_next_one_begins_after_the_call() -> None:
    source = Source()
    first = asyncio.create_task(source.flight.join())
    await settle()
    following = [asyncio.create_task(source.flight.join_next()) for _ in range(3)]
    await settle()
    assert len(source.flights) == 1
    source.flights[0].set_result(7)
    await settle()
    assert len(source.flights) == 2
    source.flights[1].set_result(8)
    assert await asyncio.gather(first, *following) == [7, 8, 8, 8]


async def test_the_next_one_is_not_tried_where_the_one_under_way_fails() -> None:
    source = Source()
    asking = [asyncio.create_task(source.flight.join())]
    await settle()
    asking.append(asyncio.create_task(source.flight.join_next()))
    await settle()
    source.flights[0].set_exception(StorageError(database="test", problem="gone"))
    for each in asking:
        with pytest.raises(StorageError):
            await each
    assert len(source.flights) == 1
