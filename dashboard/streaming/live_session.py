"""One client of the live stream: what it gets and holds, and how far it has got."""

from collections.abc import Iterable, Mapping

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import WHOLE_BOOK, Holder
from dashboard.protocols.live_filters import Filter


class LiveSession:
    """A client's filter, and its leases of the instruments that the filter names.

    `seen` is the offset of the newest event that it has, or needs not have any more.
    """

    def __init__(self, holder: Holder, wanted: Filter) -> None:
        self.filter = wanted
        self.seen = 0
        self._holder = holder

    async def lease(self, instruments: Iterable[Instrument]) -> Mapping[InstrumentKey, str]:
        """Hold these and no others; give what was refused, with the feed's reason."""
        return await self._holder.replace([(each, WHOLE_BOOK) for each in instruments])

    def close(self) -> None:
        """End its leases."""
        self._holder.close()
