"""The `/ws` protocol: JSON objects, one per frame. `ts` is in microseconds.

Server to client: `price`, `trade`, `book`, `system` and `control`, each with
`seq` and `id`; and, about the connection itself, `subscribed`, `reset`,
`conflated` and `error`. Client to server: a frequency or a filter.
"""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import msgspec

from dashboard.core.errors import RequestError, ScopeError
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

Key = tuple[str, str]
"""What tells instruments apart: (exchange, symbol)."""

STREAMS: dict[str, frozenset[Kind]] = {
    "market": frozenset({Kind.PRICE, Kind.TRADE, Kind.BOOK}),
    "system": frozenset({Kind.SYSTEM}),
}
KINDS = frozenset({Kind.CONTROL}).union(*STREAMS.values())
CHANNELS = frozenset(kind.channel for kind in KINDS)
REQUESTS = (
    '{"frequency_ms": 10..1000} or '
    '{"type": "subscribe", "symbols": [...], "streams": ["market", "system"]}'
)


class SetFrequency(msgspec.Struct, frozen=True):
    """A client asks for another frequency, in ms; the server clamps it."""

    frequency_ms: float


class Subscribe(msgspec.Struct, frozen=True):
    """A client asks for another filter; its symbols are symbols or full ids, None means all."""

    symbols: frozenset[str] | None = None
    streams: frozenset[str] = frozenset(STREAMS)


class Filter(msgspec.Struct, frozen=True):
    """What a client gets; `control` always passes.

    Instruments are told apart by exchange and symbol. With `instruments` None all
    pass but those on demand, which are for clients that have named them.
    """

    instruments: frozenset[Key] | None = None
    streams: frozenset[str] = frozenset(STREAMS)
    on_demand: frozenset[Key] = frozenset()

    def wants(self, topic: Topic) -> bool:
        """Tell whether events of a topic pass."""
        if topic.kind is Kind.CONTROL:
            return True
        if not any(topic.kind in STREAMS[stream] for stream in self.streams):
            return False
        if not topic.subject:
            return True
        key = (topic.exchange, topic.subject)
        if self.instruments is None:
            return key not in self.on_demand
        return key in self.instruments


class _Frame(msgspec.Struct, tag_field="type"):
    pass


class _PriceFrame(_Frame, tag="price"):
    symbol: str
    price: float
    volume: float
    ts: int
    seq: int
    id: str


class _TradeFrame(_Frame, tag="trade"):
    symbol: str
    price: float
    size: float
    side: str
    ts: int
    seq: int
    id: str


class _BookFrame(_Frame, tag="book"):
    symbol: str
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
                frame = _PriceFrame(event.symbol, event.price, event.volume, ts, seq, id_)
            case Trade():
                side = event.aggressor_side.value
                frame = _TradeFrame(event.symbol, event.price, event.size, side, ts, seq, id_)
            case Book():
                frame = _BookFrame(event.symbol, event.bids, event.asks, ts, seq, id_)
            case System():
                frame = _SystemFrame(event.cpu_pct, event.mem_mb, event.msg_rate, ts, seq, id_)
            case Control():
                frame = _ControlFrame(event.frequency_ms, seq, id_)
            case _:
                raise TypeError(f"/ws does not carry {type(event).__name__}")
        return _encoder.encode(frame).decode()

    return encode


def encode_subscribed(asked: Subscribe, *, unknown: Collection[str]) -> str:
    """Say what now holds: the names as they were asked for, without the unknown; null for all."""
    frame: dict[str, Any] = {
        "type": "subscribed",
        "symbols": None if asked.symbols is None else sorted(asked.symbols.difference(unknown)),
        "streams": sorted(asked.streams),
    }
    if unknown:
        frame["unknown"] = sorted(unknown)
    return _text(frame)


def encode_conflated(*, count: int, lost_trades: int) -> str:
    """Tell a lagging client how many events it did not get since the last such notice."""
    return _text({"type": "conflated", "count": count, "lost_trades": lost_trades})


def encode_reset(reason: str) -> str:
    """Tell a client that its `since` cannot be served and that latest values follow."""
    return _text({"type": "reset", "reason": reason})


def encode_error(error: RequestError | ScopeError) -> str:
    """Tell a client what was wrong with its request, or what it lacks for it."""
    return _text({"type": "error", "error": str(error)})


class _Request(msgspec.Struct, frozen=True):
    type: str | None = None
    frequency_ms: float | None = None
    symbols: frozenset[str] | None = None
    streams: frozenset[Literal["market", "system"]] | None = None


_decoder = msgspec.json.Decoder(_Request)


def parse_request(text: str | bytes) -> SetFrequency | Subscribe:
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
        return Subscribe(request.symbols, frozenset(streams))
    frequency_ms = request.frequency_ms
    if request.type is None and frequency_ms is not None and math.isfinite(frequency_ms):
        return SetFrequency(frequency_ms)
    raise RequestError(problem="the request is not known", allowed=REQUESTS)


def _text(frame: dict[str, Any]) -> str:
    return _encoder.encode(frame).decode()
