"""What a page watches: its instruments in order, and the chosen one of them. Pure."""

from collections.abc import Callable, Sequence

from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.core.leases import WHOLE_BOOK
from dashboard.ui.columns import Watched

MAX_WATCHED = 50


class Watch:
    """The instruments of one page: what does not fit in `MAX_WATCHED` is left out.

    `index` gives an instrument's number in the page's batches, which is its place in `rows`.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        feed_of: Callable[[InstrumentKey], str | None],
        chosen: str = "",
    ) -> None:
        """`chosen` is a full id; when none of them has it, the first is chosen."""
        self._instruments = {each.id: each for each in instruments[:MAX_WATCHED]}
        watched = self._instruments.values()
        self.index: dict[InstrumentKey, int] = {each.key: at for at, each in enumerate(watched)}
        self.rows = [_row(each, feed_of(each.key)) for each in watched]
        self.chosen = self._instruments.get(chosen) or next(iter(watched), None)

    @property
    def depths(self) -> list[tuple[Instrument, int]]:
        """Give how many levels of each one's book are drawn a side."""
        instruments = self._instruments.values()
        return [(each, WHOLE_BOOK if each is self.chosen else 0) for each in instruments]

    @property
    def chosen_id(self) -> str:
        """Give the full id of the chosen instrument; empty while nothing is watched."""
        return self.chosen.id if self.chosen else ""

    @property
    def chosen_key(self) -> InstrumentKey | None:
        """Give exchange and symbol of the chosen instrument."""
        return self.chosen.key if self.chosen else None

    def choose(self, id_: str) -> bool:
        """Choose a watched instrument by its full id; tell whether there is one."""
        found = self._instruments.get(id_)
        if found is not None:
            self.chosen = found
        return found is not None


def _row(instrument: Instrument, feed: str | None) -> Watched:
    return Watched(
        instrument.symbol,
        instrument.exchange,
        instrument.decimals,
        instrument.tick_size,
        instrument.kind,
        instrument.sends,
        feed or "",
        instrument.bar_ms,
    )
