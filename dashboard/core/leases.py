"""Leases: who wants an instrument holds one, and as long as anybody does, its feed delivers it.

`feeds.subscriptions` keeps them. `depth` is how many levels of the book are wanted a side;
0 wants no book.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from dashboard.core.instruments import Instrument, InstrumentKey


class Holder(Protocol):
    """All leases of one page, client or runner."""

    async def add(
        self, instruments: Sequence[Instrument], *, depth: int = 0
    ) -> Mapping[InstrumentKey, str]:
        """Lease instruments; give those that were refused, with the feed's reason.

        It returns once the feeds have answered. One that is held already is no error: of
        several depths the largest counts.
        """
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
            FeedError: on entering, when its feed refuses it.
        """
        ...

    async def lend(self, instrument: Instrument, *, depth: int = 0) -> None:
        """Hold one for 60 s from now, however often it is lent: for who asks once in a while.

        Raises:
            FeedError: when its feed refuses it.
        """
        ...
