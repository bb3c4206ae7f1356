import json
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.codec import JSON, MSGPACK, AnyEvent, Codec
from dashboard.core.errors import CodecError
from dashboard.core.instruments import Instrument
from dashboard.core.model import Ended, Event, PriceLevel, Published, Topic
from dashboard.core.reports import Stretch
from tests.unit.fakes import price, published, trade

Made = TypeVar("Made", bound=msgspec.Struct)
CLASSES: tuple[type[Event], ...] = get_args(AnyEvent)
INT64 = st.integers(-(2**63), 2**63 - 1)


def concrete(base: type[Event]) -> set[type[Event]]:
    """Give the classes that no other one is derived from."""
    below = base.__subclasses__()
    return {base} if not below else set[type[Event]]().union(*map(concrete, below))


def values(of: Any) -> st.SearchStrategy[Any]:
    """Make values of the type of a field."""
    finite = st.floats(allow_nan=False, allow_infinity=False)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        int: INT64,
        float: finite,
        str: st.text(),
        float | None: st.none() | finite,
        str | None: st.none() | st.text(),
        Mapping[str, int]: st.dictionaries(st.text(), INT64, max_size=5),
        tuple[int, ...]: st.lists(INT64, max_size=5).map(tuple),
        Sequence[Instrument]: st.lists(st.deferred(lambda: made(Instrument)), max_size=3),
        Mapping[str, float]: st.dictionaries(st.text(), finite, max_size=5),
        tuple[Stretch, ...]: st.lists(st.deferred(lambda: made(Stretch)), max_size=3).map(tuple),
        tuple[PriceLevel, ...]: st.lists(st.tuples(finite, finite), max_size=5).map(tuple),
    }
    if of in plain:
        return plain[of]
    if get_origin(of) is UnionType:
        return st.one_of(*map(values, get_args(of)))
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return made(of)
    return st.from_type(of)


def made(of: type[Made]) -> st.SearchStrategy[Made]:
    fields = {each.name: values(each.type) for each in msgspec.structs.fields(of)}
    return st.builds(of, **fields)


events: st.SearchStrategy[Event] = st.sampled_from(CLASSES).flatmap(made)
codecs = pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])


def test_the_union_has_every_event_by_a_tag_of_its_own() -> None:
    assert set(CLASSES) == concrete(Event)
    tags = {of: of.__struct_config__.tag for of in CLASSES}
    assert len(set(tags.values())) == len(CLASSES)
    assert {of: tag for of, tag in tags.items() if of is not Ended} == {
        of: of.kind for of in CLASSES if of is not Ended
    }


@codecs
@given(event=events)
def test_every_event_is_read_as_it_was_written(codec: Codec, event: Event) -> None:
    read = codec.decode_event(codec.encode_event(event))
    assert read == event
    assert type(read) is type(event)
    assert codec.decode_topic(codec.encode_topic(event.topic)) == event.topic


@codecs
@given(
    event=events,
    numbers=st.tuples(*[st.integers(0, 2**63 - 1)] * 4),
    epoch=st.text(max_size=12),
)
def test_what_a_hub_has_published_keeps_its_numbers(
    codec: Codec, event: Event, numbers: tuple[int, int, int, int], epoch: str
) -> None:
    seq, offset, ts_received, monotonic_ns = numbers
    said = Published(
        event=event,
        topic=event.topic,
        seq=seq,
        offset=offset,
        ts_received=ts_received,
        monotonic_ns=monotonic_ns,
        frames={},
        weight=event.weigh(),
    )
    assert codec.decode_published(codec.encode_published(said, epoch=epoch)) == (epoch, said)


@codecs
def test_frames_are_no_part_of_it_and_books_are_tuples(codec: Codec) -> None:
    said = published(price(), 7)
    said.frames["sse"] = "data"
    _, read = codec.decode_published(codec.encode_published(said, epoch="e"))
    assert read.frames == {}
    ended = Ended(of=trade().topic, ts_event=1)
    read_ended = codec.decode_event(codec.encode_event(ended))
    assert isinstance(read_ended.topic, Topic)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"type":"crystal","ts_event":1}', "crystal"),
        ('{"ts_event":1}', "type"),
        ('{"type":"pnl","ts_event":1,"client":"a","exchange":"e"}', "pnl"),
        ('{"type":"pnl","ts_event":1,"client":"a","exchange":"e","pnl":"1"}', "pnl"),
        ('{"type":"pnl","ts_event":1,"client":"a","exchange":"e","pnl":1,"pln":1}', "pln"),
        ('{"type":"ended","ts_event":1,"of":["crystal","e","s"]}', "crystal"),
        ("[]", "object"),
        ("", "truncated"),
    ],
)
def test_what_is_no_event_is_told_by_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(CodecError, match=problem):
        JSON.decode_event(text.encode())
    try:
        packed = msgspec.msgpack.encode(json.loads(text))
    except json.JSONDecodeError:
        packed = text.encode()
    with pytest.raises(CodecError, match=problem):
        MSGPACK.decode_event(packed)


@codecs
@given(raw=st.binary(max_size=40))
def test_whatever_else_comes_is_an_error_of_ours(codec: Codec, raw: bytes) -> None:
    for decode in (codec.decode_event, codec.decode_topic, codec.decode_published):
        with pytest.raises(CodecError):
            decode(raw)
