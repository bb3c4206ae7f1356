import pytest

from dashboard.commands.door import Commands, Handlers
from dashboard.commands.requests import EndLeases, Lend, SetFrequency
from dashboard.core.errors import CommandError, ScopeError
from dashboard.core.principal import LOCAL, STRANGER


async def _doubled(asked: SetFrequency) -> int:
    return round(2 * asked.frequency_ms)


async def test_answer_is_the_handlers() -> None:
    handlers = Handlers()
    handlers.does(SetFrequency, _doubled)
    assert await Commands(handlers).ask(SetFrequency(frequency_ms=20), by=LOCAL) == 40


async def test_who_lacks_the_scope_is_told_which_and_nothing_is_done() -> None:
    handlers = Handlers()
    done: list[SetFrequency] = []

    async def note(asked: SetFrequency) -> int:
        done.append(asked)
        return 0

    handlers.does(SetFrequency, note)
    with pytest.raises(ScopeError, match="control"):
        await Commands(handlers).ask(SetFrequency(frequency_ms=20), by=STRANGER)
    assert done == []


async def test_what_nobody_does_is_refused_by_name() -> None:
    with pytest.raises(CommandError, match="Lend"):
        await Commands(Handlers()).ask(Lend(key=("A", "B")), by=LOCAL)


async def test_what_a_handler_refuses_reaches_who_asked() -> None:
    handlers = Handlers()

    async def refuse(_asked: SetFrequency) -> int:
        raise CommandError(problem="not today")

    handlers.does(SetFrequency, refuse)
    with pytest.raises(CommandError, match="not today"):
        await Commands(handlers).ask(SetFrequency(frequency_ms=20), by=LOCAL)


def test_each_request_has_one_handler() -> None:
    handlers = Handlers()
    handlers.does(SetFrequency, _doubled)
    handlers.hears(EndLeases, lambda _: None)
    with pytest.raises(ValueError, match="SetFrequency"):
        handlers.does(SetFrequency, _doubled)
    with pytest.raises(ValueError, match="EndLeases"):
        handlers.hears(EndLeases, lambda _: None)


def test_notices_are_heard_and_nobody_need_hear_them() -> None:
    handlers = Handlers()
    commands = Commands(handlers)
    commands.tell(EndLeases(holder="a"))
    heard: list[str] = []
    handlers.hears(EndLeases, lambda notice: heard.append(notice.holder))
    commands.tell(EndLeases(holder="b"))
    assert heard == ["b"]
