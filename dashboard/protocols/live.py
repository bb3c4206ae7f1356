"""The `/ws` protocol: JSON objects, one per frame. `ts` is in microseconds.

Server to client: `price`, `trade`, `book`, `system` and `control`, each with
`seq` and `id`; and, about the connection itself, `subscribed`, `reset`,
`conflated` and `error`. Client to server: a frequency or a filter.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from dashboard.core.errors import CommandError, RequestError, ScopeError
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import (
    Book,
    Control,
    Ended,
    Event,
    Kind,
    Price,
    PriceLevel,
    Published,
    System,
    Topic,
    Trade,
)

DIALECT = "live"
MAX_REQUEST_BYTES = 64 * 1024
MAX_PROBLEM = 160
BUFFER_EVENTS = 500


STREAMS: dict[str, frozenset[Kind]] = {
    "market": frozenset({Kind.PRICE, Kind.TRADE, Kind.BOOK}),
    "system": frozenset({Kind.SYSTEM}),
}
ALONE = frozenset({Kind.SYSTEM, Kind.CONTROL})
"""The kinds that are about no instrument, and have one topic each."""
KINDS = frozenset({Kind.CONTROL}).union(*STREAMS.values())
"""All that may go to a client."""
CHANNELS = frozenset(kind.channel for kind in KINDS)
REQUESTS = (
    '{"frequency_ms": 10..1000} or '
    '{"type": "subscribe", "symbols": [...], "streams": ["market", "system"]}'
)


class FrequencyRequest(msgspec.Struct, frozen=True):
    """A client asks for another frequency, in ms; the server clamps it."""

    frequency_ms: float


class FilterRequest(msgspec.Struct, frozen=True):
    """A client asks for another filter; its symbols are symbols or full ids, None means all."""

    symbols: frozenset[str] | None = None
    streams: frozenset[str] = frozenset(STREAMS)


def kinds_of(streams: Iterable[str]) -> frozenset[Kind]:
    """Give the kinds of event that some streams carry; `control` is always among them."""
    return frozenset({Kind.CONTROL}).union(*(STREAMS[each] for each in streams))


class Filter(msgspec.Struct, frozen=True):
    """What a client gets.

    Instruments are told apart by exchange and symbol. With `instruments` None those pass
    that are common: they go to everybody who asks for nothing in particular.
    """

    instruments: frozenset[InstrumentKey] | None = None
    kinds: frozenset[Kind] = KINDS

    @property
    def common_kinds(self) -> frozenset[Kind]:
        """Give the kinds of which the events of all common instruments pass."""
        return self.kinds - ALONE if self.instruments is None else frozenset()

    @property
    def topics(self) -> list[Topic]:
        """Give all other topics that pass."""
        alone = [Topic(kind, "", "") for kind in self.kinds & ALONE]
        return alone + [
            Topic(kind, *key) for key in self.instruments or () for kind in self.kinds - ALONE
        ]

    def wants(self, topic: Topic, *, common: bool) -> bool:
        """Tell whether events of a topic pass; `common` says whether its instrument is."""
        kind, exchange, symbol = topic
        if kind not in self.kinds:
            return False
        if kind in ALONE:
            return True
        return common if self.instruments is None else (exchange, symbol) in self.instruments


class _Frame(msgspec.Struct, tag_field="type"):
    pass


class _PriceFrame(_Frame, tag="price"):
    symbol: str
    exchange: str
    price: float
    volume: float
    ts: int
    seq: int
    id: str


class _TradeFrame(_Frame, tag="trade"):
    symbol: str
    exchange: str
    price: float
    size: float
    side: str
    ts: int
    seq: int
    id: str


class _BookFrame(_Frame, tag="book"):
    symbol: str
    exchange: str
    bids: Sequence[PriceLevel]
    asks: Sequence[PriceLevel]
    ts: int
    seq: int
    id: str


class _SystemFrame(_Frame, tag="system"):
    cpu_pct: float
    mem_mb: int
    msg_rate: int
    ts: int
    seq: int
    id: str


class _ControlFrame(_Frame, tag="control"):
    frequency_ms: int
    seq: int
    id: str


def carries(event: Event) -> bool:
    """Tell whether an event goes to clients.

    A historical trade has no mark here, and the end of a topic no frame.
    """
    return not (isinstance(event, Ended) or (isinstance(event, Trade) and event.historical))


_encoder = msgspec.json.Encoder()


def encoder(epoch: str) -> Callable[[Published], str]:
    """Make the encoder of published events for one run of the process."""

    def encode(published: Published) -> str:
        """Write an event as one frame.

        Raises:
            TypeError: for an event that this protocol does not carry.
        """
        event = published.event
        seq = published.seq
        id_ = f"{epoch}:{published.offset}"
        ts = event.ts_event // 1000
        match event:
            case Price():
                frame = _PriceFrame(
                    event.symbol, event.exchange, event.price, event.volume, ts, seq, id_
                )
            case Trade():
                side = event.aggressor_side.value
                frame = _TradeFrame(
                    event.symbol, event.exchange, event.price, event.size, side, ts, seq, id_
                )
            case Book():
                frame = _BookFrame(
                    event.symbol, event.exchange, event.bids, event.asks, ts, seq, id_
                )
            case System():
                frame = _SystemFrame(event.cpu_pct, event.mem_mb, event.msg_rate, ts, seq, id_)
            case Control():
                frame = _ControlFrame(event.frequency_ms, seq, id_)
            case _:
                raise TypeError(f"/ws does not carry {type(event).__name__}")
        return _encoder.encode(frame).decode()

    return encode


def encode_subscribed(
    asked: FilterRequest, *, unknown: Collection[str], refused: Mapping[str, str]
) -> str:
    """Say what now holds: the names as they were asked for, without the others; null for all.

    `refused` gives the reason of the feed for each name that it refused.
    """
    held = None if asked.symbols is None else sorted(asked.symbols - {*unknown, *refused})
    frame: dict[str, Any] = {
        "type": "subscribed",
        "symbols": held,
        "streams": sorted(asked.streams),
    }
    if unknown:
        frame["unknown"] = sorted(unknown)
    if refused:
        frame["refused"] = dict(refused)
    return _text(frame)


def encode_conflated(*, count: int, lost_trades: int) -> str:
    """Tell a lagging client how many events it did not get since the last such notice."""
    return _text({"type": "conflated", "count": count, "lost_trades": lost_trades})


def encode_reset(reason: str) -> str:
    """Tell a client that its `since` cannot be served and that latest values follow."""
    return _text({"type": "reset", "reason": reason})


def encode_error(error: CommandError | RequestError | ScopeError) -> str:
    """Tell a client what was wrong with its request, or what it lacks for it."""
    return _text({"type": "error", "error": str(error)})


class _Request(msgspec.Struct, frozen=True):
    type: str | None = None
    frequency_ms: float | None = None
    symbols: frozenset[str] | None = None
    streams: frozenset[Literal["market", "system"]] | None = None


_decoder = msgspec.json.Decoder(_Request)


def parse_request(text: str | bytes) -> FrequencyRequest | FilterRequest:
    """Read one request.

    Raw examples: `{"frequency_ms":25}`, `{"type":"subscribe","symbols":["AAPL","NSE:TCS"]}`.

    Raises:
        RequestError: names what was wrong and what is allowed.
    """
    try:
        request = _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise RequestError(problem=str(error)[:MAX_PROBLEM], allowed=REQUESTS) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RequestError(problem="the frame is not JSON", allowed=REQUESTS) from error
    if request.type == "subscribe":
        streams = STREAMS.keys() if request.streams is None else request.streams
        return FilterRequest(request.symbols, frozenset(streams))
    frequency_ms = request.frequency_ms
    if request.type is None and frequency_ms is not None and math.isfinite(frequency_ms):
        return FrequencyRequest(frequency_ms)
    raise RequestError(problem="the request is not known", allowed=REQUESTS)


def _text(frame: dict[str, Any]) -> str:
    return _encoder.encode(frame).decode()
