"""The `/ws` protocol: JSON objects, one per frame. `ts` is in microseconds.

Server to client: `price`, `trade`, `book`, `system` and `control`, each with
`seq` and `id`; what runners tell, see `runner_events`; and, about the connection
itself, `subscribed`, `reset`, `conflated` and `error`. Client to server: a frequency
or a filter.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from dashboard.core.errors import CommandError, RequestError, ScopeError
from dashboard.core.model import (
    Book,
    Control,
    Ended,
    Event,
    Price,
    PriceLevel,
    Published,
    System,
    Trade,
)
from dashboard.core.trading.events import RunnerEvent
from dashboard.protocols.live_filters import LIVE_STREAMS, FilterRequest, filter_request
from dashboard.protocols.runner_events import encode_external, encode_tagged

DIALECT = "live"
TAGGED_DIALECT = "live tagged"
"""The same but for what runners tell."""
MAX_REQUEST_BYTES = 64 * 1024
MAX_PROBLEM = 160
BUFFER_EVENTS = 500
REQUESTS = (
    '{"frequency_ms": 10..1000} or '
    '{"type": "subscribe", "symbols": [...], "streams": ["market", "system", "events"], '
    '"runners": [...], "event_types": [...]}'
)


class FrequencyRequest(msgspec.Struct, frozen=True):
    """A client asks for another frequency, in ms; the server clamps it."""

    frequency_ms: float


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
_WriteEvent = Callable[[Published, RunnerEvent, str], str]


def encoder(
    epoch: str, *, write_event: _WriteEvent = encode_external
) -> Callable[[Published], str]:
    """Make the encoder of published events for one run of the process."""

    def encode(published: Published) -> str:
        """Write an event as one frame.

        Raises:
            TypeError: for an event that this protocol does not carry.
        """
        event = published.event
        seq = published.seq
        id_ = f"{epoch}:{published.offset}"
        if isinstance(event, RunnerEvent):
            return write_event(published, event, id_)
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


ENCODERS = {DIALECT: encoder, TAGGED_DIALECT: partial(encoder, write_event=encode_tagged)}
"""What makes the encoders, for the hub."""


def encode_subscribed(
    asked: FilterRequest,
    *,
    unknown: Collection[str],
    refused: Mapping[str, str],
    unknown_runners: Collection[str] = (),
) -> str:
    """Say what now holds: the names as they were asked for, without the others; null for all.

    `refused` gives the reason of the feed for each name that it refused. Of a runner that is
    not there (yet) the name holds all the same, and stands among `unknown_runners`.
    """
    held = None if asked.symbols is None else sorted(asked.symbols - {*unknown, *refused})
    frame: dict[str, Any] = {
        "type": "subscribed",
        "symbols": held,
        "streams": sorted(asked.streams),
    }
    if "events" in asked.streams:
        frame["runners"] = None if asked.runners is None else sorted(asked.runners)
        frame["event_types"] = None if asked.event_types is None else sorted(asked.event_types)
        if unknown_runners:
            frame["unknown_runners"] = sorted(unknown_runners)
    if unknown:
        frame["unknown"] = sorted(unknown)
    if refused:
        frame["refused"] = dict(refused)
    return _text(frame)


def encode_conflated(*, count: int, lost_trades: int, lost_events: int = 0) -> str:
    """Tell a lagging client how many events it did not get since the last such notice.

    `lost_events` are those of runners that nothing newer stands in for.
    """
    frame = {"type": "conflated", "count": count, "lost_trades": lost_trades}
    return _text(frame | {"lost_events": lost_events} if lost_events else frame)


def encode_reset(reason: str, streams: Collection[str] = ()) -> str:
    """Tell a client that its `since` cannot be served and that latest values follow.

    Where it can be for some of the streams, `streams` names the others.
    """
    frame: dict[str, Any] = {"type": "reset", "reason": reason}
    return _text(frame | {"streams": sorted(streams)} if streams else frame)


def encode_error(error: CommandError | RequestError | ScopeError) -> str:
    """Tell a client what was wrong with its request, or what it lacks for it."""
    return _text({"type": "error", "error": str(error)})


class _Request(msgspec.Struct, frozen=True):
    type: str | None = None
    frequency_ms: float | None = None
    symbols: frozenset[str] | None = None
    streams: frozenset[Literal["market", "system", "events"]] | None = None
    runners: frozenset[str] | None = None
    event_types: frozenset[str] | None = None


_decoder = msgspec.json.Decoder(_Request)


def parse_request(
    text: str | bytes, *, streams: frozenset[str] = LIVE_STREAMS
) -> FrequencyRequest | FilterRequest:
    """Read one request; one for a filter that names no streams means these.

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
        return filter_request(
            request.symbols,
            request.streams,
            request.runners,
            request.event_types,
            unnamed=streams,
        )
    frequency_ms = request.frequency_ms
    if request.type is None and frequency_ms is not None and math.isfinite(frequency_ms):
        return FrequencyRequest(frequency_ms)
    raise RequestError(problem="the request is not known", allowed=REQUESTS)


def _text(frame: dict[str, Any]) -> str:
    return _encoder.encode(frame).decode()
