"""Leases: who wants an instrument holds one, and as long as anybody does, its feed delivers it.

`feeds.leases` keeps them, and `commands.leases` asks for them from elsewhere. `depth` is how
many levels of the book are wanted a side; 0 wants no book.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from dashboard.core.instruments import Instrument, InstrumentKey

WHOLE_BOOK = 1_000
"""More levels than any source sends: all that it has."""


class Holder(Protocol):
    """All leases of one page, client or runner."""

    async def add(
        self, instruments: Sequence[Instrument], *, depth: int = 0
    ) -> Mapping[InstrumentKey, str]:
        """Lease instruments; give those that were refused, with the feed's reason.

        It returns once the feeds have answered, and with the first value of each on the hub
        where there is one. One that is held already is no error: of several depths the
        largest counts, until it is dropped. Once it is closed, nothing is leased.
        """
        ...

    async def replace(
        self, wanted: Sequence[tuple[Instrument, int]]
    ) -> Mapping[InstrumentKey, str]:
        """Lease instruments, each with its depth, in place of all that is held; as `add` does."""
        ...

    def lower(self, key: InstrumentKey, depth: int) -> None:
        """Want no more levels of an instrument's book than this; if it is held, it stays so."""
        ...

    def drop(self, keys: Iterable[InstrumentKey]) -> None:
        """End leases; of one that is not held nothing is left to end."""
        ...

    def close(self) -> None:
        """End all of them. Safe to call twice."""
        ...


class Leases(Protocol):
    """Where leases are taken."""

    def holder(self, name: str) -> Holder:
        """Begin with no lease; `name` says in the metrics who they are for. It must be closed."""
        ...

    def lease(
        self, instrument: Instrument, *, name: str, depth: int = 0
    ) -> AbstractAsyncContextManager[None]:
        """Hold one instrument for as long as a block lasts.

        Raises:
            FeedError: on entering, when its feed refuses it; a CommandError from elsewhere.
        """
        ...

    async def lend(self, instrument: Instrument, *, depth: int = 0) -> None:
        """Hold one for 60 s from now, however often it is lent: for who asks once in a while.

        It waits up to 2 s for a first value, a book where `depth` asks for one.

        Raises:
            FeedError: when its feed refuses it; a CommandError from elsewhere.
        """
        ...
