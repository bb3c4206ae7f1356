"""One pass over a recording: its books, and the record that comes next."""

import msgspec

from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Event, Trade
from dashboard.feeds.parsing.connections import Connections
from dashboard.feeds.parsing.markets import Markets
from dashboard.feeds.parsing.venues import VenueParser
from dashboard.feeds.parsing.wslog import Record
from dashboard.feeds.recording import Recording


class Round:
    """Begin with empty books, and give the records one by one; places are ns since the first."""

    def __init__(self, recording: Recording) -> None:
        self.markets = Markets()
        self.connections = Connections(self.markets)
        self.parser = VenueParser()
        self.place_ns = 0
        self._records = recording.records()
        self._next: tuple[int, Record] | None = None
        self._began = False
        self._traded: set[InstrumentKey] = set()

    @property
    def next_place_ns(self) -> int | None:
        """Give the place of the record that `take` gives; None at the end."""
        if not self._began:
            self._began = True
            self._next = next(self._records, None)
        return None if self._next is None else self._next[0]

    def take(self) -> Record:
        """Give the next record; there must be one."""
        if self.next_place_ns is None or self._next is None:
            raise RuntimeError("the round is over")
        self.place_ns, record = self._next
        self._next = next(self._records, None)
        return record

    def mark(self, event: Event) -> Event:
        """Give an event that is published, marked where it is the first trade of its instrument."""
        if isinstance(event, Trade) and (key := (event.exchange, event.symbol)) not in self._traded:
            self._traded.add(key)
            return msgspec.structs.replace(event, anew=True)
        return event

    def close(self) -> None:
        """Close the file."""
        self._records.close()
