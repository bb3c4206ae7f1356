import asyncio

from dashboard.access.turns import Turns


async def test_one_works_in_a_turn_of_the_loop_however_many_ask() -> None:
    turns = Turns()
    worked = 0

    async def work(times: int) -> None:
        nonlocal worked
        for _ in range(times):
            async with turns.one():
                worked += 1

    tasks = [asyncio.create_task(work(5)) for _ in range(20)]
    while not all(task.done() for task in tasks):
        before = worked
        await asyncio.sleep(0)
        assert worked <= before + 1
    assert worked == 100


async def test_one_that_fails_or_gives_up_keeps_no_turn() -> None:
    turns = Turns()

    async def fail() -> None:
        async with turns.one():
            raise ValueError

    async with turns.one():
        waiting = [asyncio.create_task(fail()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError, ValueError]
    async with asyncio.timeout(1), turns.one():
        pass
