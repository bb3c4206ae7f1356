"""Leases for those who serve clients: asked for through the door, see `core.leases`."""

import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from dashboard.commands.door import Commands
from dashboard.commands.requests import EndLeases, Lend, LowerLeases, TakeLeases
from dashboard.core.errors import CommandError
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.principal import LOCAL

HOLDER_BYTES = 8


class CommandedLeases:
    """Implements `core.leases.Leases`. Who may have what was asked where the client came in."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def holder(self, name: str) -> "CommandedHolder":
        """Begin with no lease; it must be closed."""
        return CommandedHolder(self._commands, name)

    @asynccontextmanager
    async def lease(
        self, instrument: Instrument, *, name: str, depth: int = 0
    ) -> AsyncGenerator[None]:
        """Hold one instrument for as long as a block lasts.

        Raises:
            CommandError: on entering, when its feed refuses it.
        """
        holder = self.holder(name)
        try:
            refused = await holder.add((instrument,), depth=depth)
            if instrument.key in refused:
                raise CommandError(problem=refused[instrument.key])
            yield
        finally:
            holder.close()

    async def lend(self, instrument: Instrument, *, depth: int = 0) -> None:
        """Hold one for a while from now, however often it is lent.

        Raises:
            CommandError: when its feed refuses it.
        """
        await self._commands.ask(Lend(key=instrument.key, depth=depth), by=LOCAL)


class CommandedHolder:
    """Implements `core.leases.Holder`: it has an id by which the owner knows it."""

    def __init__(self, commands: Commands, name: str) -> None:
        self._commands = commands
        self._name = name
        self._id = secrets.token_hex(HOLDER_BYTES)
        self._closed = False

    async def add(
        self, instruments: Sequence[Instrument], *, depth: int = 0
    ) -> Mapping[InstrumentKey, str]:
        """Lease instruments; give those that were refused, with the feed's reason."""
        return await self._take([(each.key, depth) for each in instruments])

    async def replace(
        self, wanted: Sequence[tuple[Instrument, int]]
    ) -> Mapping[InstrumentKey, str]:
        """Lease instruments, each with its depth, in place of all that is held."""
        return await self._take([(each.key, depth) for each, depth in wanted], replace=True)

    def lower(self, key: InstrumentKey, depth: int) -> None:
        """Want no more levels of an instrument's book than this; if it is held, it stays so."""
        self._commands.tell(LowerLeases(holder=self._id, depths=[(key, depth)]))

    def drop(self, keys: Iterable[InstrumentKey]) -> None:
        """End leases; of one that is not held nothing is left to end."""
        if ended := [(key, None) for key in keys]:
            self._commands.tell(LowerLeases(holder=self._id, depths=ended))

    def close(self) -> None:
        """End all of them. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._commands.tell(EndLeases(holder=self._id))

    async def _take(
        self, wanted: Sequence[tuple[InstrumentKey, int]], *, replace: bool = False
    ) -> Mapping[InstrumentKey, str]:
        if self._closed or not (wanted or replace):
            return {}
        try:
            return await self._commands.ask(
                TakeLeases(holder=self._id, name=self._name, wanted=wanted, replace=replace),
                by=LOCAL,
            )
        finally:
            if self._closed:  # while it was asked for
                self._commands.tell(EndLeases(holder=self._id))
