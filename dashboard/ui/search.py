"""What a page is told of the instruments that match a text: a part at a time. Pure."""

from dashboard.core.directory import Directory
from dashboard.core.instruments import Instrument
from dashboard.ui.columns import Found, Listed

PART = 240
"""Instruments in one part, at most: the page has the same number."""
MAX_CHARACTERS = 100
ANSWER_S = 0.1
"""Shortest time between two answers: a search walks all instruments once."""


class Search:
    """The question of one page, until it is answered.

    A page asks one thing at a time: another question takes the place of one that waits.
    """

    def __init__(self) -> None:
        self._question: tuple[str, int] | None = None
        self._answered_s = float("-inf")

    def ask(self, text: str, first: int) -> None:
        """Ask what matches a text, from the number `first` on."""
        self._question = (text[:MAX_CHARACTERS], max(0, first))

    def is_due(self, now_s: float) -> bool:
        """Tell whether a question is to be answered, at a time of the monotonic clock."""
        return self._question is not None and now_s - self._answered_s >= ANSWER_S

    def answer(self, directory: Directory, now_s: float) -> Found | None:
        """Answer the question that is due; None without one."""
        if self._question is None or not self.is_due(now_s):
            return None
        text, first = self._question
        self._question = None
        self._answered_s = now_s
        matches = directory.search(text, limit=PART, first=first)
        rows = [_row(each) for each in matches.instruments]
        return Found(text, first, matches.found, len(directory.listings), rows)


def _row(instrument: Instrument) -> Listed:
    return Listed(
        instrument.symbol,
        instrument.exchange,
        instrument.underlying,
        instrument.tick_size,
        instrument.absolute_limit,
        instrument.delta_limit,
    )
