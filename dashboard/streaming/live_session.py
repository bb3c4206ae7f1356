"""One client of the live stream: what it gets and holds, and how far it has got."""

from collections.abc import Collection, Mapping

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import Holder
from dashboard.core.model import Kind
from dashboard.protocols import live

BOOK_LEVELS = 5
"""What is leased of a book a side; it is sent as its feed has it."""


class LiveSession:
    """A client's filter, and its leases of the instruments that the filter names.

    `seen` is the offset of the newest event that it has, or needs not have any more.
    """

    def __init__(self, holder: Holder) -> None:
        self.filter = live.Filter()
        self.seen = 0
        self._holder = holder
        self._held: frozenset[InstrumentKey] = frozenset()

    async def lease(self, instruments: Collection[Instrument]) -> Mapping[InstrumentKey, str]:
        """Lease what a filter will name; give what was refused, with the feed's reason."""
        return await self._holder.add(list(instruments), depth=BOOK_LEVELS)

    def change_filter(
        self, kinds: frozenset[Kind], instruments: frozenset[InstrumentKey] | None
    ) -> None:
        """Get something else from now on; leases of what it does not name any more end."""
        self.filter = live.Filter(instruments, kinds)
        held = instruments or frozenset()
        self._holder.drop(self._held - held)
        self._held = held

    def close(self) -> None:
        """End its leases."""
        self._holder.close()
