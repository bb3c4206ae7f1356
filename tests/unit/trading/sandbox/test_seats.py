import asyncio

import pytest

from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.messages import BAR
from dashboard.trading.sandbox.seats import Seat
from tests.lua import bar, code, program


class Told:
    """A seat with what it tells."""

    def __init__(self, *, queued_ticks: int = 1_000, window_size: int = 3) -> None:
        self.stepped: list[Stepped] = []
        self.ended: list[str] = []
        self.seat = Seat(
            2,
            program(code(), window_size=window_size),
            Limits(queued_ticks=queued_ticks),
            committed=None,
            window=(),
            stepped=self.stepped.append,
            ended=self.ended.append,
        )
        self._given = 0

    def give(self, count: int) -> None:
        for _ in range(count):
            self.seat.give(bar(float(self._given), timestamp=self._given))
            self._given += 1

    def send(self, most: int) -> list[int]:
        return [each.timestamp for each in self.seat.send(most)]

    def take(self, ticks: int, *, bars_wanted: int = 3) -> Stepped:
        stepped = Stepped(
            events=(),
            committed=Committed(context=f'{{"n":{ticks}}}'),
            ticks=ticks,
            bars_wanted=bars_wanted,
        )
        self.seat.take(stepped)
        return stepped

    @property
    def window(self) -> list[int]:
        return [round(close) for _, _, close, _ in BAR.iter_unpack(self.seat.make_load().window)]


async def test_what_was_not_answered_is_sent_again() -> None:
    told = Told()
    told.give(5)
    assert told.send(3) == [0, 1, 2]
    told.take(2)
    assert told.send(3) == [2, 3, 4]
    told.seat.call_back()
    assert told.send(10) == [2, 3, 4]
    assert told.seat.waits
    told.take(3)
    assert not told.seat.waits


async def test_it_goes_on_with_what_was_answered_last() -> None:
    told = Told()
    told.give(5)
    told.send(4)
    told.take(4)
    load = told.seat.make_load()
    assert load.committed == Committed(context='{"n":4}')
    assert told.window == [1, 2, 3]


async def test_the_window_grows_to_what_the_strategy_wants() -> None:
    told = Told()
    told.give(9)
    told.send(9)
    told.take(4, bars_wanted=5)
    assert told.window == [0, 1, 2, 3]
    told.take(5, bars_wanted=5)
    assert told.window == [4, 5, 6, 7, 8]


async def test_of_too_many_ticks_the_oldest_go_but_those_under_way() -> None:
    told = Told(queued_ticks=3)
    told.give(3)
    told.send(2)
    told.give(4)
    told.take(2)
    assert told.stepped[-1].dropped == 2
    assert told.send(10) == [4, 5, 6]
    told.take(3)
    assert told.stepped[-1].dropped == 0


async def test_one_is_busy_that_takes_too_much_of_a_second() -> None:
    told = Told()
    assert [told.seat.is_busy(90_000, 5.5) for _ in range(3)] == [False, False, True]
    assert told.seat.is_busy(90_000, 6.0) is False


async def test_draining_waits_for_the_last_tick() -> None:
    told = Told()
    await told.seat.drain()
    told.give(2)
    draining = asyncio.create_task(told.seat.drain())
    await asyncio.sleep(0)
    told.take(1)
    await asyncio.sleep(0)
    assert not draining.done()
    told.take(1)
    await draining


@pytest.mark.parametrize("given", [0, 2])
async def test_leaving_ends_the_wait(given: int) -> None:
    told = Told()
    told.give(given)
    draining = asyncio.create_task(told.seat.drain())
    await asyncio.sleep(0)
    told.seat.leave()
    await draining
    assert not told.seat.waits
