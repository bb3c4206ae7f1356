from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.conflation import Buffer, OverflowPolicy, conflate, conflate_each, slot_of
from dashboard.core.errors import SubscriptionOverflowError
from dashboard.core.model import Event, Published
from tests.unit.fakes import book, control, price, published, system, trade

SYMBOLS = ("AAA", "BBB", "CCC")
CONFLATABLE_TOPICS = 2 * len(SYMBOLS) + 2

events = st.one_of(
    st.sampled_from(SYMBOLS).map(price),
    st.sampled_from(SYMBOLS).map(trade),
    st.sampled_from(SYMBOLS).map(lambda symbol: book(symbol)),
    st.just(system()),
    st.just(control()),
)
TAKE = "take"
steps = st.lists(st.one_of(events, events, events, st.just(TAKE)), max_size=80)
capacities = st.integers(1, 12)


def numbered(sequence: Sequence[Event]) -> list[Published]:
    return [published(event, offset) for offset, event in enumerate(sequence, 1)]


def offsets(entries: list[Published]) -> list[int]:
    return [entry.offset for entry in entries]


def make(policy: OverflowPolicy, capacity: int) -> Buffer[Published]:
    return Buffer(name="reader", capacity=capacity, policy=policy, slot_of=slot_of)


@pytest.mark.parametrize("policy", list(OverflowPolicy))
@given(steps=steps, capacity=capacities)
def test_any_policy_is_bounded_ordered_and_accounts_for_every_event(
    policy: OverflowPolicy, steps: list[Event | str], capacity: int
) -> None:
    buffer = make(policy, capacity)
    offered = refused = 0
    delivered: list[int] = []
    for offset, step in enumerate(steps, 1):
        if isinstance(step, str):
            waiting = len(buffer)
            taken = offsets(buffer.take())
            assert len(taken) == waiting
            assert taken == sorted(taken)
            delivered += taken
        else:
            offered += 1
            try:
                buffer.offer(published(step, offset))
            except SubscriptionOverflowError:
                refused += 1
        assert len(buffer) <= capacity + CONFLATABLE_TOPICS
        account = buffer.conflated + buffer.lost + len(delivered) + len(buffer) + refused
        assert account == offered
    delivered += offsets(buffer.take())
    assert delivered == sorted(set(delivered)), "ordered over all takes, nothing twice"
    assert refused == 0 or policy is OverflowPolicy.DISCONNECT
    assert buffer.conflated == 0 or policy is OverflowPolicy.CONFLATE
    assert len(buffer) == 0


@given(steps=steps, capacity=capacities)
def test_conflate_delivers_what_the_model_says(steps: list[Event | str], capacity: int) -> None:
    buffer = make(OverflowPolicy.CONFLATE, capacity)
    since_take: list[Published] = []
    for offset, step in enumerate([*steps, TAKE], 1):
        if not isinstance(step, str):
            since_take.append(published(step, offset))
            buffer.offer(since_take[-1])
            continue
        expected = since_take
        if len(since_take) > capacity:
            lossless = [entry for entry in since_take if not entry.event.conflatable]
            latest = {entry.topic: entry for entry in since_take if entry.event.conflatable}
            expected = [*latest.values(), *lossless[-capacity:]]
        assert offsets(buffer.take()) == sorted(offsets(expected))
        since_take = []


@given(steps=steps, capacity=capacities)
def test_conflate_never_withholds_the_last_event_of_a_conflatable_topic(
    steps: list[Event | str], capacity: int
) -> None:
    buffer = make(OverflowPolicy.CONFLATE, capacity)
    last: dict[object, int] = {}
    newest_delivered: dict[object, int] = {}
    for offset, step in enumerate([*steps, TAKE], 1):
        if isinstance(step, str):
            newest_delivered |= {entry.topic: entry.offset for entry in buffer.take()}
        else:
            if step.conflatable:
                last[step.topic] = offset
            buffer.offer(published(step, offset))
    assert {topic: newest_delivered.get(topic) for topic in last} == last


@given(sequence=st.lists(events, max_size=40), capacity=capacities)
def test_drop_oldest_keeps_the_newest(sequence: list[Event], capacity: int) -> None:
    buffer = make(OverflowPolicy.DROP_OLDEST, capacity)
    entries = numbered(sequence)
    for entry in entries:
        buffer.offer(entry)
    assert buffer.lost == max(0, len(entries) - capacity)
    assert buffer.take() == entries[-capacity:]


def test_conflate_counts_replaced_prices_apart_from_lost_trades() -> None:
    buffer = make(OverflowPolicy.CONFLATE, 3)
    sequence = [price("AAA"), trade("AAA"), trade("AAA"), price("AAA"), trade("AAA"), trade("AAA")]
    for entry in numbered(sequence):
        buffer.offer(entry)
    assert (buffer.conflated, buffer.lost) == (1, 1)
    assert offsets(buffer.take()) == [3, 4, 5, 6]


def test_conflate_keeps_every_event_up_to_its_capacity() -> None:
    buffer = make(OverflowPolicy.CONFLATE, 3)
    entries = numbered([price("AAA"), price("AAA"), price("AAA")])
    for entry in entries:
        buffer.offer(entry)
    assert buffer.take() == entries
    assert (buffer.conflated, buffer.lost) == (0, 0)


def test_a_take_ends_the_lag() -> None:
    buffer = make(OverflowPolicy.CONFLATE, 2)
    for entry in numbered([price("AAA")] * 5):
        buffer.offer(entry)
    buffer.take()
    fresh = [published(price("AAA"), 6), published(price("AAA"), 7)]
    for entry in fresh:
        buffer.offer(entry)
    assert buffer.take() == fresh


def test_disconnect_raises_with_name_and_capacity_and_keeps_what_waits() -> None:
    buffer = make(OverflowPolicy.DISCONNECT, 2)
    entries = numbered([price("AAA"), price("BBB"), price("CCC")])
    buffer.offer(entries[0])
    buffer.offer(entries[1])
    with pytest.raises(SubscriptionOverflowError) as caught:
        buffer.offer(entries[2])
    assert (caught.value.name, caught.value.capacity) == ("reader", 2)
    assert buffer.take() == entries[:2]


@given(sequence=st.lists(events, max_size=60))
def test_conflating_a_list_keeps_trades_and_the_last_of_each_other_topic(
    sequence: list[Event],
) -> None:
    entries = numbered(sequence)
    kept = conflate(entries)
    assert offsets(kept) == sorted(offsets(kept))
    trades = [entry for entry in entries if not entry.event.conflatable]
    assert [entry for entry in kept if not entry.event.conflatable] == trades
    latest = {entry.topic: entry for entry in entries if entry.event.conflatable}
    kept_conflatable = [entry for entry in kept if entry.event.conflatable]
    assert Counter(offsets(kept_conflatable)) == Counter(offsets(list(latest.values())))


def test_conflating_a_list_orders_by_offset_whatever_the_input_order() -> None:
    entries = numbered([trade("AAA"), price("AAA"), trade("BBB")])
    assert offsets(conflate(reversed(entries))) == [1, 2, 3]


def test_each_span_of_time_is_conflated_for_itself() -> None:
    came = (0, 40, 49, 50, 99, 210)
    entries = [
        msgspec.structs.replace(entry, monotonic_ns=at)
        for at, entry in zip(came, numbered([price("AAA"), trade("AAA")] * 3), strict=True)
    ]
    assert offsets(conflate_each(entries, span_ns=50)) == [2, 3, 4, 5, 6]
    assert offsets(conflate_each(entries, span_ns=1000)) == [2, 4, 5, 6]
