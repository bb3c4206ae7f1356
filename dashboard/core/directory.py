"""The directory: all instruments of all feeds, by what they are called. Pure and immutable."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from dashboard.core.instruments import Instrument, InstrumentKey


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What one feed has, in the order to show it.

    `standing` are delivered as long as the product runs, `on_demand` only while
    somebody leases them.
    """

    feed: str
    standing: Sequence[Instrument]
    on_demand: Sequence[Instrument] = ()


class Directory:
    """The catalogues of all feeds as one, in the order of the feeds.

    Of two feeds with one full id the first serves it; `shadowed` has what each of
    the others does not serve therefore. A feed lists an id once. All that is looked
    up here costs the same however many there are; a changed list is a new directory,
    of a higher `version`.
    """

    def __init__(self, catalogues: Sequence[Catalogue] = (), *, version: int = 1) -> None:
        self.version = version
        self._by_key: dict[InstrumentKey, Instrument] = {}
        self._by_symbol: dict[str, tuple[Instrument, ...]] = {}
        self._feeds: dict[InstrumentKey, str] = {}
        self.shadowed: dict[str, frozenset[InstrumentKey]] = {}
        standing: list[Instrument] = []
        on_demand: list[Instrument] = []
        for catalogue in catalogues:
            feed = catalogue.feed
            others: list[InstrumentKey] = []
            for part, served in ((catalogue.standing, standing), (catalogue.on_demand, on_demand)):
                for each in part:
                    if self._enter(each, feed):
                        served.append(each)
                    elif self._feeds[each.key] != feed:
                        others.append(each.key)
            if others:
                self.shadowed[feed] = frozenset(others)
        self.standing = tuple(standing)
        """Those that are delivered all the time."""
        self.listings = (*standing, *on_demand)
        """Every instrument: the standing ones, then those on demand."""
        self.on_demand = frozenset(each.key for each in on_demand)
        """Exchange and symbol of those that come only to who asks for them by name."""

    def named(self, name: str) -> Sequence[Instrument]:
        """Give what a name may mean, likeliest first: the one of this full id, or namesakes.

        A bare symbol means the first feed's instrument, and within a feed the one that is
        listed first.
        """
        if (found := self.get(_key(name))) is not None:
            return (found,)
        return self._by_symbol.get(name, ())

    def find(self, name: str) -> Instrument | None:
        """Give what a full id, or else a bare symbol, means."""
        return next(iter(self.named(name)), None)

    def get(self, key: InstrumentKey) -> Instrument | None:
        """Give the instrument of this exchange and symbol."""
        return self._by_key.get(key)

    def is_on_demand(self, key: InstrumentKey) -> bool:
        """Tell whether an instrument is delivered only while somebody leases it."""
        return key in self.on_demand

    def feed_of(self, key: InstrumentKey) -> str | None:
        """Name the feed that serves an instrument."""
        return self._feeds.get(key)

    def search(self, text: str, limit: int) -> Sequence[Instrument]:
        """Give at most `limit` instruments that hold every word of a text, in any case.

        A word may stand in symbol, exchange or underlying. First comes what has this
        symbol, then what has one that begins so; else the order is that of `listings`.
        """
        return tuple(self.listings[at] for at in self._index.search(text, limit))

    @cached_property
    def _index(self) -> "_Index":
        return _Index(self.listings)

    def _enter(self, instrument: Instrument, feed: str) -> bool:
        key = instrument.key
        if key in self._by_key:
            return False
        self._by_key[key] = instrument
        self._feeds[key] = feed
        symbol = instrument.symbol
        self._by_symbol[symbol] = (*self._by_symbol.get(symbol, ()), instrument)
        return True


class _Index:
    """A line of text for each instrument, all in one: to find in it is what str does fastest."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        lines = [
            f"{each.symbol} {each.exchange} {each.underlying or ''}".lower() for each in instruments
        ]
        self._text = "\n" + "\n".join(lines) + "\n"
        self._starts: list[int] = []
        """Where each line begins, with the newline before it."""
        start = 0
        for line in lines:
            self._starts.append(start)
            start += len(line) + 1

    def search(self, text: str, limit: int) -> Sequence[int]:
        """Give the numbers of the lines that match, best first."""
        text = text.strip().lower()
        words = text.split()
        found: dict[int, None] = {}
        for start in (f"\n{text} ", f"\n{text}", max(words, key=len, default="")):
            for at in self._lines(start):
                if len(found) >= limit:
                    return list(found)
                if at not in found and self._holds(at, words):
                    found[at] = None
        return list(found)

    def _lines(self, text: str) -> Iterator[int]:
        """Give the number of each line in which a text begins, a newline before it included."""
        place = self._text.find(text)
        while 0 <= place < len(self._text) - 1:
            at = bisect_right(self._starts, place) - 1
            yield at
            after = at + 1
            if after == len(self._starts):
                return
            place = self._text.find(text, self._starts[after])

    def _holds(self, at: int, words: Sequence[str]) -> bool:
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._text)
        return all(self._text.find(word, self._starts[at], end) >= 0 for word in words)


def _key(name: str) -> InstrumentKey:
    exchange, _, symbol = name.partition(":")
    return exchange, symbol
