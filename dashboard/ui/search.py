"""What a page is told of the instruments that match a text: a part at a time. Pure."""

from dashboard.core.directory import Directory
from dashboard.core.instruments import Instrument
from dashboard.ui.columns import Found, Listed

PART = 240
"""Instruments in one part, at most: the page has the same number."""
MAX_CHARACTERS = 100


def search(directory: Directory, text: str, first: int) -> Found:
    """Give what matches a text, from the number `first` on, and how many there are."""
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
