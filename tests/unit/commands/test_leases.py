"""Leases asked for through the door."""

import asyncio
from typing import Any

import pytest

from dashboard.commands.door import Commands
from dashboard.commands.leases import CommandedLeases
from dashboard.commands.requests import Command, EndLeases, Lend, LowerLeases, Notice, TakeLeases
from dashboard.core.errors import CommandError
from dashboard.core.instruments import Instrument

A = Instrument(symbol="A", exchange="X", tick_size=0.01)
B = Instrument(symbol="B", exchange="X", tick_size=0.01)


class Carried:
    """Keeps what it is given; refuses the instruments named so."""

    def __init__(self, **refused: str) -> None:
        self.requests: list[Command[Any] | Notice] = []
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self._refused = refused

    async def ask(self, command: Command[Any]) -> Any:
        self.requests.append(command)
        self.asked.set()
        await self.go_on.wait()
        if not isinstance(command, TakeLeases):
            return None
        asked = [key for key, _ in command.wanted]
        return {key: self._refused[key[1]] for key in asked if key[1] in self._refused}

    def tell(self, notice: Notice) -> None:
        self.requests.append(notice)


async def test_a_holder_is_known_by_an_id_of_its_own() -> None:
    carried = Carried()
    leases = CommandedLeases(Commands(carried))
    for holder in (leases.holder("page"), leases.holder("page")):
        await holder.add((A, B), depth=5)
        holder.close()
    first, first_end, second, _ = carried.requests
    assert isinstance(first, TakeLeases)
    assert isinstance(second, TakeLeases)
    assert (first.name, first.wanted) == ("page", [(A.key, 5), (B.key, 5)])
    assert first.holder != second.holder
    assert first_end == EndLeases(holder=first.holder)


async def test_refusals_come_back_with_their_reason() -> None:
    holder = CommandedLeases(Commands(Carried(B="too many"))).holder("ws")
    assert await holder.add((A, B)) == {B.key: "too many"}


async def test_a_refused_block_is_not_entered_and_leaves_nothing_behind() -> None:
    carried = Carried(A="closed")
    with pytest.raises(CommandError, match="closed"):
        async with CommandedLeases(Commands(carried)).lease(A, name="sse"):
            pytest.fail("it was refused")
    assert isinstance(carried.requests[-1], EndLeases)


async def test_a_holder_closed_while_it_asks_holds_nothing_in_the_end() -> None:
    carried = Carried()
    carried.go_on.clear()
    holder = CommandedLeases(Commands(carried)).holder("ws")
    asking = asyncio.ensure_future(holder.add((A,)))
    await carried.asked.wait()
    holder.close()
    carried.go_on.set()
    await asking
    assert [type(each) for each in carried.requests] == [TakeLeases, EndLeases, EndLeases]


async def test_a_loan_names_its_instrument() -> None:
    carried = Carried()
    await CommandedLeases(Commands(carried)).lend(A, depth=5)
    assert carried.requests == [Lend(key=A.key, depth=5)]


async def test_what_is_wanted_less_is_told_and_not_waited_for() -> None:
    carried = Carried()
    holder = CommandedLeases(Commands(carried)).holder("page")
    await holder.replace([(A, 5)])
    holder.lower(A.key, 0)
    holder.drop([A.key])
    holder.drop([])
    taken, *told = carried.requests
    assert isinstance(taken, TakeLeases)
    assert taken.replace
    assert told == [
        LowerLeases(holder=taken.holder, depths=[(A.key, 0)]),
        LowerLeases(holder=taken.holder, depths=[(A.key, None)]),
    ]
    holder.close()
    assert await holder.add((A,)) == {}
    assert carried.requests[-1] == EndLeases(holder=taken.holder)
