from collections import deque
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import ResumeError
from dashboard.core.model import Channel, Event, Kind, Pnl, Published
from dashboard.hub.hub import Hub
from dashboard.hub.ring import COMPACTED, FORGET_NS, WINDOW_NS, Bounds, Ring
from tests.unit.counting import lines_run
from tests.unit.fakes import SECOND_NS, Clock, control, price, published, system, trade


def pnl(client: str = "Ann") -> Pnl:
    return Pnl(client=client, exchange="E", pnl=1.5, ts_event=0)


def test_every_kind_has_a_channel() -> None:
    assert {kind.channel for kind in Kind} <= set(Channel)
    assert {kind for kind in Kind if kind.channel is Channel.ACCOUNTS} == {
        Kind.PNL,
        Kind.POSITIONS,
    }
    assert Kind("price") is Kind.PRICE
    assert Kind.PRICE == "price"


@given(
    gaps=st.lists(st.integers(1, 3), max_size=40),
    bounds=st.builds(Bounds, st.integers(1, 12), st.integers(600, 6000)),
    asked=st.integers(0, 130),
)
def test_a_ring_holds_the_newest_that_fit(gaps: list[int], bounds: Bounds, asked: int) -> None:
    ring = Ring(bounds)
    model: deque[Published] = deque()
    forgotten = offset = 0
    for gap in gaps:
        offset += gap
        entry = published(price(), offset)
        ring.add(entry)
        model.append(entry)
        while len(model) > bounds.events or 600 * len(model) > bounds.bytes:
            forgotten = model.popleft().offset
    assert list(ring) == list(model)
    assert list(ring.after(asked)) == [each for each in model if each.offset > asked]
    assert (len(ring), ring.forgotten, ring.added) == (len(model), forgotten, len(gaps))
    assert ring.weight == sum(each.weight for each in model)


def test_a_ring_gives_back_the_places_of_what_it_has_forgotten() -> None:
    ring = Ring(Bounds(10, 1_000_000))
    entries = [published(price(), offset) for offset in range(1, 3 * COMPACTED)]
    for entry in entries:
        ring.add(entry)
        assert len(ring._events) <= COMPACTED + 10
    assert list(ring) == entries[-10:]
    assert list(ring.after(entries[-3].offset)) == entries[-2:]
    assert [each.weight for each in entries[:-10]] == [0] * (len(entries) - 10)


events = st.sampled_from([price(), trade(), price("ETH/USD"), pnl("Ann"), pnl("Bo"), system()])
steps = st.tuples(events, st.sampled_from([0, 0, 0, SECOND_NS // 2, 20 * SECOND_NS]))


@given(
    sequence=st.lists(steps, max_size=80),
    resume_events=st.integers(1, 30),
    resume_bytes=st.integers(600, 20_000),
    count=st.integers(1, 7),
)
def test_a_resume_in_parts_gives_what_a_list_of_all_would(
    sequence: list[tuple[Event, int]], resume_events: int, resume_bytes: int, count: int
) -> None:
    clock = Clock()
    hub = Hub(epoch="e", clock=clock, resume_events=resume_events, resume_bytes=resume_bytes)
    everything: list[Published] = []
    for event, passed_ns in sequence:
        clock.now += passed_ns
        everything.append(hub.publish(event))
    kept = {each.offset for ring in hub.rings.values() for each in ring}
    for channels in (
        {Channel.MARKET},
        {Channel.ACCOUNTS},
        {Channel.MARKET, Channel.STATUS},
        Channel,
    ):
        for offset in range(len(everything) + 1):
            missed = [each for each in everything[offset:] if each.topic.kind.channel in channels]
            if all(each.offset in kept for each in missed):
                assert read_in_parts(hub, offset, count, channels) == missed
            else:
                with pytest.raises(ResumeError, match="too old"):
                    hub.after(f"e:{offset}", count, channels)


def read_in_parts(
    hub: Hub, offset: int, count: int, channels: Collection[Channel]
) -> list[Published]:
    read: list[Published] = []
    since = f"e:{offset}"
    while True:
        part = hub.after(since, count, channels)
        assert len(part) <= count
        read += part
        if len(part) < count:
            return read
        since = hub.event_id(part[-1])


def test_many_events_of_one_channel_push_out_none_of_another() -> None:
    hub = Hub(epoch="e", clock=Clock(), resume_events=10)
    first = hub.publish(pnl())
    for _ in range(1000):
        hub.publish(price())
    assert hub.after("e:0", 5, {Channel.ACCOUNTS}) == [first]
    assert hub.published_in(Channel.ACCOUNTS) == 1
    assert hub.published_in(Channel.MARKET) == 1000
    assert hub.published_in(Channel.RUNNERS) == 0
    with pytest.raises(ResumeError):
        hub.after("e:0", 5, {Channel.ACCOUNTS, Channel.MARKET})


def test_a_part_costs_what_it_gives_however_much_is_kept() -> None:
    hub = Hub(epoch="e", clock=Clock(), resume_events=10_000)
    for _ in range(20):
        hub.publish(price())
    few = lines_run(lambda: hub.after("e:10", 3, {Channel.MARKET}))
    for _ in range(9000):
        hub.publish(price())
    many = lines_run(lambda: hub.after("e:9000", 3, {Channel.MARKET}))
    assert many == few


def test_a_channel_in_which_nothing_happens_forgets_what_is_too_old() -> None:
    clock = Clock()
    hub = Hub(epoch="e", clock=clock, resume_events=10)
    hub.publish(pnl())
    clock.now += WINDOW_NS + 1
    hub.publish(control())
    assert hub.remembered(Channel.ACCOUNTS) == []
    late = hub.publish(pnl())
    clock.now += FORGET_NS
    hub.publish(control())
    assert hub.remembered(Channel.ACCOUNTS) == [late]
