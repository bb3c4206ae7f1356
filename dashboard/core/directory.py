"""The directory: all instruments of all feeds, by what they are called. Pure and immutable."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import chain, compress, repeat
from operator import contains
from typing import NamedTuple

import msgspec

from dashboard.core.instruments import Instrument, InstrumentKey

KEPT_SEARCHES = 16
"""So many results of searches are kept; one has a number for each instrument at most."""


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
        self.exchanges: dict[str, frozenset[str]] = {}
        """The exchanges of what each feed has."""
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
            everything = (*catalogue.standing, *catalogue.on_demand)
            self.exchanges[feed] = frozenset(each.exchange for each in everything)
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

    def search(self, text: str, limit: int, *, first: int = 0) -> "Matches":
        """Give what holds every word of a text, in any case: `limit` from the number `first` on.

        A word may stand in symbol, exchange or underlying. First comes what has this
        symbol, then what has one that begins so; else the order is that of `listings`.
        """
        found = self._index.search(text.strip().lower())
        part = found[first : first + limit]
        return Matches(found=len(found), instruments=[self.listings[at] for at in part])

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


class Matches(NamedTuple):
    """A part of what matches a text; `found` match at all."""

    found: int
    instruments: Sequence[Instrument]


class _Index:
    """A line of text for each instrument, to search in.

    A text costs one walk of the lines, a few ms for 100,000, and its other parts none: the
    newest results are kept.
    """

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._lines = [
            f"{each.symbol} {each.exchange} {each.underlying or ''}".lower() for each in instruments
        ]
        self.search = lru_cache(KEPT_SEARCHES)(self._search)

    def _search(self, text: str) -> Sequence[int]:
        """Give the numbers of the lines that hold every word, best first."""
        found: Sequence[int] = range(len(self._lines))
        for word in text.split():
            found = self._where(found, contains, word)
        if not text:
            return found
        begin = self._where(found, str.startswith, text)
        exact = self._where(begin, str.startswith, f"{text} ")
        better = [each for each in (exact, begin) if 0 < len(each) < len(found)]
        return list(dict.fromkeys(chain(*better, found))) if better else found

    def _where(
        self, found: Sequence[int], holds: Callable[[str, str], bool], text: str
    ) -> Sequence[int]:
        everything = len(found) == len(self._lines)
        lines = self._lines if everything else map(self._lines.__getitem__, found)
        return list(compress(found, map(holds, lines, repeat(text))))


def _key(name: str) -> InstrumentKey:
    exchange, _, symbol = name.partition(":")
    return exchange, symbol
