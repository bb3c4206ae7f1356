"""One client of the live stream: what it gets, and how far."""

from collections.abc import Mapping, Sequence

from dashboard.core.instruments import Instrument
from dashboard.protocols import live


class LiveSession:
    """A client's filter, and the offset of the newest event that it needs not be sent any more."""

    def __init__(self) -> None:
        self.filter = live.Filter()
        self.seen = 0
