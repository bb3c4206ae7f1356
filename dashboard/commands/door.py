"""The one door for whatever a served client may change, or ask the owner of things for.

In one process a request is handed to its handler directly. Between processes another
`Carrier` takes it to where the handlers are.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

from dashboard.commands.requests import Answer, Command, Notice
from dashboard.core.errors import CommandError
from dashboard.core.principal import Principal, require

Asked = TypeVar("Asked", bound=Command[Any])
Told = TypeVar("Told", bound=Notice)


class Carrier(Protocol):
    """Takes requests to their handlers, in the order in which they come."""

    async def ask(self, command: Command[Any]) -> Any:
        """Have a command done, and give its answer.

        Raises:
            LivetapeError: when it cannot be done.
        """
        ...

    def tell(self, notice: Notice) -> None:
        """Pass a notice on."""
        ...


class Handlers:
    """Who does what: each part of the owner's half enters its own. It carries within a process."""

    def __init__(self) -> None:
        self._asked: dict[type[Command[Any]], Callable[[Any], Awaitable[Any]]] = {}
        self._told: dict[type[Notice], Callable[[Any], None]] = {}

    def does(self, kind: type[Asked], handler: Callable[[Asked], Awaitable[Any]]) -> None:
        """Let a handler do the commands of one type.

        Raises:
            ValueError: when another one does them already.
        """
        if kind in self._asked:
            raise ValueError(f"{kind.__name__} has a handler already")
        self._asked[kind] = handler

    def hears(self, kind: type[Told], handler: Callable[[Told], None]) -> None:
        """Let a handler have the notices of one type.

        Raises:
            ValueError: when another one has them already.
        """
        if kind in self._told:
            raise ValueError(f"{kind.__name__} has a handler already")
        self._told[kind] = handler

    async def ask(self, command: Command[Any]) -> Any:
        """Have a command done by its handler.

        Raises:
            CommandError: when nobody does such.
            LivetapeError: what its handler raises.
        """
        handler = self._asked.get(type(command))
        if handler is None:
            raise CommandError(problem=f"nothing here does {type(command).__name__}")
        return await handler(command)

    def tell(self, notice: Notice) -> None:
        """Pass a notice on; one that nobody hears is no error."""
        handler = self._told.get(type(notice))
        if handler is not None:
            handler(notice)


class Commands:
    """The door as those have it who serve clients: who asks must have the scope of the command."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def ask(self, command: Command[Answer], *, by: Principal) -> Answer:
        """Have a command done, and give its answer.

        Raises:
            ScopeError: when the principal lacks the scope.
            CommandError: when it cannot be done; its `problem` says why.
        """
        require(by, command.scope)
        return cast("Answer", await self._carrier.ask(command))

    def tell(self, notice: Notice) -> None:
        """Tell the owner something, without waiting for it to be done."""
        self._carrier.tell(notice)
