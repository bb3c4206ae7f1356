"""Which events a client of `/ws` asks for, by a request or by the query of its address."""

from collections.abc import Collection, Iterable
from urllib.parse import parse_qs

import msgspec

from dashboard.core.errors import RequestError
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Channel, Kind, Topic
from dashboard.core.trading.events import RunnerEvent
from dashboard.protocols.runner_events import EVENT_KINDS, check_runner_ids, kinds_named

STREAMS: dict[str, frozenset[Kind]] = {
    "market": frozenset({Kind.PRICE, Kind.TRADE, Kind.BOOK}),
    "system": frozenset({Kind.SYSTEM}),
    "events": EVENT_KINDS,
}
LIVE_STREAMS = frozenset({"market", "system"})
EVENTS_STREAMS = frozenset({"events"})
FILTERS = ("symbols", "streams", "runners", "event_types")
"""What of a request narrows what a client gets."""
ALONE = frozenset({Kind.SYSTEM, Kind.CONTROL})
"""The kinds that are about no instrument, and have one topic each."""
KINDS = frozenset({Kind.CONTROL}).union(*STREAMS.values())
"""All that may go to a client."""


class FilterRequest(msgspec.Struct, frozen=True):
    """A client asks for another filter; its symbols are symbols or full ids, None means all.

    So it does of `runners`, ids of these, and of `event_types`, names of the wire.
    """

    symbols: frozenset[str] | None = None
    streams: frozenset[str] = LIVE_STREAMS
    runners: frozenset[str] | None = None
    event_types: frozenset[str] | None = None

    @property
    def kinds(self) -> frozenset[Kind]:
        """Give the kinds of event that are asked for."""
        kinds = kinds_of(self.streams)
        if self.event_types is None:
            return kinds
        return kinds - EVENT_KINDS | kinds & kinds_named(self.event_types)


def kinds_of(streams: Iterable[str]) -> frozenset[Kind]:
    """Give the kinds that some streams carry; with all but `events` alone comes `control`."""
    named = frozenset(streams)
    kinds = frozenset[Kind]().union(*(STREAMS[each] for each in named))
    return kinds if named == EVENTS_STREAMS else kinds | {Kind.CONTROL}


def streams_in(channels: Collection[Channel]) -> list[str]:
    """Name the streams that come from some channels."""
    return [
        name for name, kinds in STREAMS.items() if any(kind.channel in channels for kind in kinds)
    ]


class Filter(msgspec.Struct, frozen=True):
    """What a client gets.

    Instruments are told apart by exchange and symbol. With `instruments` None those pass
    that are common: they go to everybody who asks for nothing in particular. What runners
    tell passes of those in `runners`; where these are None, of all, or of those that trade
    one of the `instruments`. `tagged` says how it is written.
    """

    instruments: frozenset[InstrumentKey] | None = None
    kinds: frozenset[Kind] = KINDS
    runners: frozenset[str] | None = None
    tagged: bool = False

    @property
    def channels(self) -> frozenset[Channel]:
        """Give the channels that all of it comes from."""
        return frozenset(kind.channel for kind in self.kinds)

    @property
    def common_kinds(self) -> frozenset[Kind]:
        """Give the kinds of which the events of all common instruments pass."""
        return self.kinds - ALONE - EVENT_KINDS if self.instruments is None else frozenset()

    @property
    def unnamed_event_kinds(self) -> frozenset[Kind]:
        """Give the kinds of runner events that pass whatever the runner's name is."""
        return self.kinds & EVENT_KINDS if self.runners is None else frozenset()

    @property
    def topics(self) -> list[Topic]:
        """Give all other topics that pass."""
        return self.alone_topics + self.market_topics + self.runner_topics

    @property
    def alone_topics(self) -> list[Topic]:
        """Give those that are about no instrument and no runner."""
        return [Topic(kind, "", "") for kind in self.kinds & ALONE]

    @property
    def market_topics(self) -> list[Topic]:
        """Give those of the instruments that are named."""
        kinds = self.kinds - ALONE - EVENT_KINDS
        return [Topic(kind, *key) for key in self.instruments or () for kind in kinds]

    @property
    def runner_topics(self) -> list[Topic]:
        """Give those of the runners that are named."""
        kinds = self.kinds & EVENT_KINDS
        return [Topic(kind, "", runner) for runner in self.runners or () for kind in kinds]

    def wants(self, topic: Topic, *, common: bool) -> bool:
        """Tell whether events of a topic pass; `common` says whether its instrument is.

        For what runners tell ask `wants_event`.
        """
        kind, exchange, symbol = topic
        if kind not in self.kinds:
            return False
        if kind in ALONE:
            return True
        return common if self.instruments is None else (exchange, symbol) in self.instruments

    def wants_event(self, event: RunnerEvent) -> bool:
        """Tell whether what a runner tells passes."""
        if event.kind not in self.kinds:
            return False
        if self.runners is not None:
            return event.runner_id in self.runners
        return self.instruments is None or (event.exchange, event.symbol) in self.instruments


def filter_request(
    symbols: frozenset[str] | None,
    streams: frozenset[str] | None,
    runners: frozenset[str] | None,
    event_types: frozenset[str] | None,
    *,
    unnamed: frozenset[str],
) -> FilterRequest:
    """Make a request for a filter; without streams it means the `unnamed` ones.

    Who names runners or their events means these, too.

    Raises:
        RequestError: names what was wrong and what is allowed.
    """
    named = runners is not None or event_types is not None
    check_runner_ids(runners or ())
    kinds_named(event_types or ())
    if streams is None:
        streams = unnamed | EVENTS_STREAMS if named else unnamed
    unknown = sorted(streams - STREAMS.keys())
    if unknown:
        problem = f"stream {unknown[0][:64]!r} is not known"
        raise RequestError(problem=problem, allowed=", ".join(STREAMS))
    return FilterRequest(symbols, streams, runners, event_types)


class Query(msgspec.Struct, frozen=True):
    """What the query of an address says; `asked` is None where it filters nothing."""

    since: str = ""
    asked: FilterRequest | None = None
    tagged: bool = False


def parse_query(query: bytes, *, unnamed: frozenset[str]) -> Query:
    """Read a query; several names are divided by commas. A filter is as in `filter_request`.

    Raw example: `streams=events&runners=btc_ema_prod&event_types=Error,PositionClosed`.

    Raises:
        RequestError: names what was wrong and what is allowed.
    """
    given = parse_qs(query.decode("latin-1"))
    form = given.get("format", [""])[0]
    if form not in {"", "tagged"}:
        raise RequestError(problem=f"format {form[:64]!r} is not known", allowed="tagged, or none")
    names = {each: _names(given[each]) for each in FILTERS if each in given}
    asked = None
    if names:
        asked = filter_request(*map(names.get, FILTERS), unnamed=unnamed)
    return Query(given.get("since", [""])[0], asked, form == "tagged")


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(name for value in values for name in value.split(",") if name)
