"""One moment of an instrument: nothing that a page shows beside its book is newer than that. Pure.

Many feeds tell prices more often than books. A price that has moved on contradicts the book
that still stands beside it, so it waits for the book that has moved on, too.
"""

from collections.abc import Sequence

from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Book, Event, Kind, Price, Published, Quote, Trade

PATIENCE_S = 2.5
"""After so long no newer book is waited for; the simulator's come every two seconds at least."""
MOST_HELD = 1000
"""No more than these wait, however many come."""
OF_A_MOMENT = frozenset({Kind.PRICE, Kind.TRADE, Kind.QUOTE})

Best = tuple[float | None, float, float | None, float]


class Moment:
    """Holds back what contradicts the newest book of one instrument, and all that follows it.

    That is a quote of another best bid or offer, and a price or a trade that is not between
    them. What agrees with the book passes, as does everything of other instruments. Nothing
    waits for a book that is partial or crossed, nor where there is none.
    """

    def __init__(self, key: InstrumentKey | None) -> None:
        """`key` is exchange and symbol; with None everything passes."""
        self._exchange, self._symbol = key or ("", "")
        self._best: Best | None = None
        self._held: list[Published] = []
        self._since_s = 0.0

    @property
    def held(self) -> Published | None:
        """Give the first event that is held back; None while none is."""
        return self._held[0] if self._held else None

    def begin(self, latest: Sequence[Published], now_s: float) -> Sequence[Published]:
        """Begin with an instrument whose newest price is shown already; give its book.

        `latest` are its newest events, oldest first. A book that its price contradicts waits
        for the next one.
        """
        self.take(latest, now_s)
        books = [entry for entry in latest if entry.topic.kind is Kind.BOOK]
        if not self._held:
            return books
        self._held = books
        return []

    def take(self, entries: Sequence[Published], now_s: float) -> list[Published]:
        """Take what is new; give what may be shown now. `now_s` is of the monotonic clock."""
        passed: list[Published] = []
        exchange, symbol = self._exchange, self._symbol
        for entry in entries:
            topic = entry.topic
            if topic[2] != symbol or topic[1] != exchange:
                passed.append(entry)
            else:
                passed += self._judge(entry, now_s)
        if self._held and (now_s - self._since_s >= PATIENCE_S or len(self._held) > MOST_HELD):
            passed += self.release()
            self._best = None
        return passed

    def _judge(self, entry: Published, now_s: float) -> Sequence[Published]:
        """Take an event of the instrument; give what may be shown now."""
        kind = entry.topic.kind
        if kind is Kind.BOOK:
            self._best = _best_of(entry.event)
            return [*self.release(), entry]
        if kind not in OF_A_MOMENT or not (self._held or _contradicts(entry.event, self._best)):
            return (entry,)
        if not self._held:
            self._since_s = now_s
        self._held.append(entry)
        return ()

    def release(self) -> list[Published]:
        """Give what is held back, oldest first."""
        held, self._held = self._held, []
        return held


def _best_of(event: Event) -> Best | None:
    """Give the best of a book by which others can be judged."""
    if not isinstance(event, Book) or event.partial:
        return None
    bid, bid_size = event.bids[0] if event.bids else (None, 0.0)
    ask, ask_size = event.asks[0] if event.asks else (None, 0.0)
    if bid is not None and ask is not None and bid >= ask:
        return None
    return (bid, bid_size, ask, ask_size)


def _contradicts(event: Event, best: Best | None) -> bool:
    if best is None:
        return False
    bid, _, ask, _ = best
    match event:
        case Quote():
            return best != (event.bid_price, event.bid_size, event.ask_price, event.ask_size)
        case Price() | Trade():
            price = event.price
            return (bid is not None and price < bid) or (ask is not None and price > ask)
        case _:
            return False
