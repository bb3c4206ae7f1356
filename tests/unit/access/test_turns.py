import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.access.turns import ANSWER_BYTES, Turns
from tests.unit.streaming.receivers import until

SIZE = 4 * ANSWER_BYTES


class Work:
    """Requests of several clients: `done` says which were taken on in which turn."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.turn = 0
        self.done: list[tuple[int, str]] = []

    async def take(self, name: str, size: int) -> None:
        await self.turns.take(size)
        self.done.append((self.turn, name))

    async def count(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def working(size: int = SIZE) -> AsyncGenerator[Work]:
    work = Work(Turns(size=size))
    async with asyncio.TaskGroup() as group:
        counting = group.create_task(work.count())
        await asyncio.sleep(0)
        yield work
        counting.cancel()


async def test_requests_are_taken_on_at_once_while_a_turn_has_room() -> None:
    async with working() as work:
        for name in "abcd":
            await work.take(name, 1)
        assert work.done == [(1, name) for name in "abcd"]
        assert work.turns.left <= 0


async def test_who_comes_later_waits_for_the_next_turns_first_come_first_served() -> None:
    async with working() as work, asyncio.TaskGroup() as group:
        for name in "abcdefghij":
            group.create_task(work.take(name, 1))
        await until(lambda: len(work.done) == 10)
        assert [name for _, name in work.done] == list("abcdefghij")
        taken = [[turn for turn, _ in work.done].count(turn) for turn in range(work.turn + 1)]
        assert sorted(taken)[-3:] == [2, 4, 4]


async def test_what_is_larger_than_a_turn_has_one_for_itself() -> None:
    async with working() as work, asyncio.TaskGroup() as group:
        await work.take("full", SIZE)
        for name in ("large", "after"):
            group.create_task(work.take(name, 100 * SIZE))
        await until(lambda: len(work.done) == 3)
        assert len({turn for turn, _ in work.done}) == 3


async def test_what_was_read_leaves_less_room_for_this_turn_alone() -> None:
    async with working() as work:
        work.turns.spend(SIZE - 1)
        assert work.turns.left == 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert work.turns.left == SIZE


async def test_who_leaves_while_it_waits_holds_nobody_up() -> None:
    async with working() as work, asyncio.TaskGroup() as group:
        await work.take("full", SIZE)
        leaving = [group.create_task(work.take(f"leaving {n}", SIZE)) for n in range(100)]
        staying = group.create_task(work.take("staying", 1))
        await asyncio.sleep(0)
        for each in leaving:
            each.cancel()
        await staying
        assert work.turn < 10


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2 * SIZE), max_size=60), st.integers(1, SIZE))
def test_no_turn_takes_on_more_than_its_size_and_one_request(sizes: list[int], size: int) -> None:
    async def run() -> None:
        async with working(size) as work, asyncio.TaskGroup() as group:
            for number, each in enumerate(sizes):
                group.create_task(work.take(str(number), each))
            await until(lambda: len(work.done) == len(sizes))
            for turn in {turn for turn, _ in work.done}:
                costs = [
                    max(sizes[int(name)], ANSWER_BYTES) for at, name in work.done if at == turn
                ]
                assert sum(costs[:-1]) < size

    asyncio.run(run())


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
        pass
    waiting = [asyncio.create_task(fail()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in ended] == [ValueError, ValueError, asyncio.CancelledError]
    async with asyncio.timeout(1), turns.one():
        pass
