"""A recording on disk: what is in it, and its records again and again."""

from collections.abc import Generator, Iterator
from os import SEEK_END
from pathlib import Path

from dashboard.core.errors import FeedError, ParseError
from dashboard.core.instruments import (
    Instrument,
    InstrumentKey,
    InstrumentKind,
    Sent,
    decimals_of,
    is_name,
)
from dashboard.core.model import Price, Trade
from dashboard.feeds.parsing import binance_futures, coinbase
from dashboard.feeds.parsing.changes import BookDelta, BookSnapshot, Change, QuoteChange
from dashboard.feeds.parsing.venues import VenueParser
from dashboard.feeds.parsing.wslog import (
    BreakOff,
    Damage,
    Received,
    Record,
    parse_records,
)

FEED = "replay"
KINDS = {
    coinbase.EXCHANGE: InstrumentKind.CRYPTO,
    binance_futures.EXCHANGE: InstrumentKind.FUTURE,
}
"""What is traded on a venue that trades one kind of instrument."""


class Recording:
    """A `.wslog` file, read through once to know its instruments and its length.

    It `began_ns` after the Unix epoch. The first pass is what lets the instruments, their
    tick sizes and the duration be complete before anything is played; it only parses, so it takes
    a fraction of a second per 10,000 messages. Later passes read from the file
    too, so memory does not grow with it. `broken_off` is the end of one that breaks
    off, such as a compressed one that was cut short; what is before it is played.

    Raises:
        FeedError: terminal, when the file cannot be read or has no market data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began_ns = 0
        self.duration_ns = 0
        self.instruments: tuple[Instrument, ...] = ()
        self.broken_off: BreakOff | None = None
        self._scan()

    @property
    def note(self) -> str:
        """Say on one line, with the file's name, what is wrong with it; empty where nothing is."""
        end = self.broken_off
        return "" if end is None else f"{self.path.name}, line {end.line}: {end.reason}"

    def records(self) -> Generator[tuple[int, Record]]:
        """Give each record with its place in ns since the first, which never goes back.

        The file is open as long as the iterator is.

        Raises:
            FeedError: terminal, when the file cannot be read.
        """
        began_ns: int | None = None
        place_ns = 0
        try:
            with self.path.open("rb") as file:
                for record in parse_records(file, feed=FEED):
                    if not isinstance(record, Damage):
                        if began_ns is None:
                            began_ns = record.ts_ns
                        place_ns = max(place_ns, record.ts_ns - began_ns)
                    yield place_ns, record
        except OSError as error:
            problem = f"{self.path}: {error.strerror or error}"
            raise FeedError(feed=FEED, problem=problem, terminal=True) from error
        except FeedError as error:
            problem = f"{self.path}: {error.problem}"
            raise FeedError(feed=FEED, problem=problem, terminal=True) from error

    def _ends_within_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, SEEK_END)
            return file.read() != b"\n"

    def _scan(self) -> None:
        parser = VenueParser()
        found = SeenInstruments()
        broken: Damage | None = None
        for place_ns, record in self.records():
            self.duration_ns = place_ns
            if not self.began_ns and not isinstance(record, Damage):
                self.began_ns = record.ts_ns
            broken = record if isinstance(record, Damage) else None
            if isinstance(record, Received):
                try:
                    for change in parser.parse_message(record.text, record.ts_ns) or ():
                        found.see(change)
                except ParseError as error:  # counted and logged when it is played
                    broken = Damage(record.line, str(error))
        if isinstance(broken, BreakOff):
            self.broken_off = broken
        elif broken is not None and self._ends_within_a_line():
            self.broken_off = BreakOff(broken.line, "the recording breaks off within the line")
        self.instruments = tuple(found.instruments())
        if not self.instruments:
            problem = f"{self.path}: there is no market data of a known venue in it"
            raise FeedError(feed=FEED, problem=problem, terminal=True)


class SeenInstruments:
    """Infer what there is to know of instruments from what is said about them.

    The tick size follows from the most decimals seen in an instrument's prices, trailing
    zeros aside. Quotes, trades and books are at the venue's own prices. A `Price` may be a
    mid between two of them, so it counts only where there is nothing else. What is
    named by no name, see `is_name`, is damage and no instrument.
    """

    def __init__(self) -> None:
        self._exact: dict[InstrumentKey, int] = {}
        self._other: dict[InstrumentKey, int] = {}
        self._sent: dict[InstrumentKey, set[Sent]] = {}

    def see(self, change: Change) -> None:
        """Take in one change."""
        key = (change.exchange, change.symbol)
        self._other.setdefault(key, 0)
        sent = self._sent.setdefault(key, set())
        match change:
            case Price():
                prices = [change.price]
                if change.volume:
                    sent.add(Sent.VOLUME)
            case QuoteChange():
                prices = [change.bid_price, change.ask_price]
            case BookSnapshot() | BookDelta():
                prices = [price for side in (change.bids, change.asks) for price, _ in side]
                sent |= {Sent.BOOK, Sent.QUOTES}
            case Trade():
                prices = [change.price]
                sent |= {Sent.TRADES, Sent.VOLUME}
        seen = self._other if isinstance(change, Price) else self._exact
        for price in prices:
            decimals = decimals_of(price)
            if decimals > seen.get(key, -1):
                seen[key] = decimals

    def instruments(self) -> Iterator[Instrument]:
        """Give the instruments in the order in which they were first seen."""
        for key, decimals in self._other.items():
            exchange, symbol = key
            if not is_name(symbol):
                continue
            yield Instrument(
                symbol=symbol,
                exchange=exchange,
                tick_size=float(f"1e-{self._exact.get(key, decimals)}"),
                kind=KINDS.get(exchange),
                sends=tuple(each for each in Sent if each in self._sent[key]),
            )
