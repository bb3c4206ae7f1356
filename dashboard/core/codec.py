"""Events as bytes: for another process, or for later.

An event is written as an object whose `type` is the tag of its class; a topic as
`[kind, exchange, subject]`; what a hub has published as
`[epoch, offset, seq, ts_received, monotonic_ns, event]`:

    ["9f86d081884c",42,7,1700000000000000001,5000000001,
     {"type":"price","ts_event":1700000000000000000,"symbol":"AAPL","exchange":"NASDAQ",
      "envelope":null,"price":187.25,"volume":100.0}]

JSON and MessagePack hold the same. All numbers are finite, as JSON has no others.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec

from dashboard.core.errors import CodecError
from dashboard.core.model import (
    Book,
    ClosedBar,
    Control,
    Ended,
    Event,
    OpenInterest,
    Pnl,
    Positions,
    Price,
    Published,
    Quote,
    RevokedKeys,
    System,
    Theo,
    Topic,
    Trade,
)
from dashboard.core.reports import FeedCatalogue, FeedReport
from dashboard.core.trading.events import AnyRunnerEvent

AnyEvent = (
    Price
    | Trade
    | Quote
    | Book
    | OpenInterest
    | ClosedBar
    | Theo
    | Positions
    | Pnl
    | System
    | Control
    | RevokedKeys
    | FeedReport
    | FeedCatalogue
    | AnyRunnerEvent
    | Ended
)
"""Each event that there is: what is written is one of these, told by its tag."""

_Read = TypeVar("_Read")


class _Message(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    epoch: str
    offset: int
    seq: int
    ts_received: int
    monotonic_ns: int
    event: AnyEvent


class FromHub(NamedTuple):
    """What the hub of an epoch has published."""

    epoch: str
    published: Published


class Codec:
    """One form of writing; its readers raise CodecError for what is of another form."""

    def __init__(
        self,
        *,
        write: Callable[[object], bytes],
        read_event: Callable[[bytes], AnyEvent],
        read_topic: Callable[[bytes], Topic],
        read_message: Callable[[bytes], _Message],
    ) -> None:
        self._write = write
        self._read_event = read_event
        self._read_topic = read_topic
        self._read_message = read_message

    def encode_event(self, event: Event) -> bytes:
        """Write an event."""
        return self._write(event)

    def decode_event(self, raw: bytes) -> AnyEvent:
        """Read an event.

        Raises:
            CodecError: names the field that is wrong, or the tag that is not known.
        """
        return _read(self._read_event, raw)

    def encode_topic(self, topic: Topic) -> bytes:
        """Write a topic."""
        return self._write(topic)

    def decode_topic(self, raw: bytes) -> Topic:
        """Read a topic.

        Raises:
            CodecError: when it is none.
        """
        return _read(self._read_topic, raw)

    def encode_published(self, published: Published, *, epoch: str) -> bytes:
        """Write what the hub of this epoch has published; its frames are left out."""
        numbers = (published.offset, published.seq, published.ts_received, published.monotonic_ns)
        return self._write((epoch, *numbers, published.event))

    def decode_published(self, raw: bytes) -> FromHub:
        """Read what a hub has published, for another one to adopt.

        Raises:
            CodecError: names the field that is wrong, or the tag that is not known.
        """
        message = _read(self._read_message, raw)
        published = Published(
            event=message.event,
            topic=message.event.topic,
            seq=message.seq,
            offset=message.offset,
            ts_received=message.ts_received,
            monotonic_ns=message.monotonic_ns,
            frames={},
            weight=message.event.weigh(),
        )
        return FromHub(message.epoch, published)


def _read(read: Callable[[bytes], _Read], raw: bytes) -> _Read:
    try:
        return read(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CodecError(problem=str(error)) from error


MSGPACK = Codec(
    write=msgspec.msgpack.Encoder().encode,
    read_event=msgspec.msgpack.Decoder(AnyEvent).decode,
    read_topic=msgspec.msgpack.Decoder(Topic).decode,
    read_message=msgspec.msgpack.Decoder(_Message).decode,
)
JSON = Codec(
    write=msgspec.json.Encoder().encode,
    read_event=msgspec.json.Decoder(AnyEvent).decode,
    read_topic=msgspec.json.Decoder(Topic).decode,
    read_message=msgspec.json.Decoder(_Message).decode,
)
