from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import ResumeError, SubscriptionOverflowError
from dashboard.core.model import Channel, Event, Kind, Published, Topic
from dashboard.hub.hub import Hub
from dashboard.hub.ring import Ring
from dashboard.hub.subscription import Subscription, Totals
from tests.unit.counting import lines_run
from tests.unit.fakes import Clock, book, control, price, system, trade

SYMBOLS = ("AAA", "BBB")
ALL = 1_000_000
"""More events than any test publishes."""
events = st.one_of(
    st.sampled_from(SYMBOLS).map(price),
    st.sampled_from(SYMBOLS).map(trade),
    st.sampled_from(SYMBOLS).map(lambda symbol: book(symbol)),
    st.just(system()),
    st.just(control()),
)


def everything(_topic: Topic) -> bool:
    return True


def only(symbol: str) -> Callable[[Topic], bool]:
    return lambda topic: topic.subject == symbol


def make(
    *,
    resume_events: int = 1000,
    resume_bytes: int = 1_000_000,
    clock: Clock | None = None,
    **encoders: Callable[[Published], str],
) -> Hub:
    return Hub(
        epoch="e1",
        clock=clock or Clock(),
        resume_events=resume_events,
        resume_bytes=resume_bytes,
        encoders={name: lambda _epoch, encode=encode: encode for name, encode in encoders.items()},
    )


def listen(
    hub: Hub,
    wants: Callable[[Topic], bool] = everything,
    *,
    capacity: int = 1000,
    policy: OverflowPolicy = OverflowPolicy.CONFLATE,
) -> Subscription:
    return hub.subscribe(name="reader", wants=wants, capacity=capacity, policy=policy)


def market(hub: Hub) -> Ring:
    return hub.rings[Channel.MARKET]


def offsets(entries: list[Published]) -> list[int]:
    return [entry.offset for entry in entries]


@given(sequence=st.lists(events, max_size=60))
def test_seq_rises_by_one_per_topic_and_offset_over_the_whole_hub(sequence: list[Event]) -> None:
    hub = make()
    seen: Counter[Topic] = Counter()
    for offset, event in enumerate(sequence, 1):
        published = hub.publish(event)
        seen[event.topic] += 1
        assert (published.seq, published.offset) == (seen[event.topic], offset)
        assert published.event is event
        assert published.topic == event.topic
    assert hub.published == len(sequence)


def test_publish_notes_when_it_got_the_event() -> None:
    clock = Clock()
    hub = make(clock=clock)
    assert hub.publish(price()).ts_received == clock.now
    clock.advance(seconds=1)
    assert hub.publish(price()).ts_received == clock.now


def test_an_event_reaches_every_subscriber_that_wants_it() -> None:
    hub = make()
    all_of_it, of_a, of_b = listen(hub), listen(hub, only("AAA")), listen(hub, only("BBB"))
    hub.publish(price("AAA"))
    hub.publish(price("BBB"))
    assert offsets(all_of_it.take()) == [1, 2]
    assert offsets(of_a.take()) == [1]
    assert offsets(of_b.take()) == [2]


def test_a_subscription_begins_with_the_next_event() -> None:
    hub = make()
    hub.publish(price("AAA"))
    late = listen(hub)
    hub.publish(price("AAA"))
    assert offsets(late.take()) == [2]


def test_routes_follow_a_change_of_filter() -> None:
    hub = make()
    reader = listen(hub, only("AAA"))
    hub.publish(price("BBB"))
    reader.change_filter(only("BBB"))
    hub.publish(price("AAA"))
    hub.publish(price("BBB"))
    assert offsets(reader.take()) == [3]


def test_routes_follow_a_close() -> None:
    hub = make()
    leaving, staying = listen(hub), listen(hub)
    hub.publish(price("AAA"))
    leaving.close()
    hub.publish(price("AAA"))
    assert hub.subscriptions == {staying}
    assert leaving.offered == 1
    assert offsets(staying.take()) == [1, 2]


def test_a_closed_subscription_does_not_come_back_with_a_filter() -> None:
    hub = make()
    reader = listen(hub)
    reader.close()
    reader.change_filter(everything)
    hub.publish(price("AAA"))
    assert hub.subscriptions == frozenset()
    assert reader.offered == 0


def test_a_subscriber_that_never_reads_changes_nothing_for_others() -> None:
    hub = make()
    stuck = [listen(hub, capacity=3, policy=policy) for policy in OverflowPolicy]
    reader = listen(hub, capacity=10)
    received: list[int] = []
    for _ in range(500):
        hub.publish(price("AAA"))
        hub.publish(trade("AAA"))
        received += offsets(reader.take())
    assert received == list(range(1, 1001))
    assert (reader.conflated, reader.lost) == (0, 0)
    assert max(len(each) for each in stuck) <= 3 + 1


def test_disconnect_closes_only_the_subscriber_that_fell_behind() -> None:
    hub = make()
    slow = listen(hub, capacity=2, policy=OverflowPolicy.DISCONNECT)
    quick = listen(hub, capacity=2, policy=OverflowPolicy.DISCONNECT)
    for offset in range(1, 6):
        hub.publish(price("AAA"))
        assert offsets(quick.take()) == [offset]
    assert slow.closed
    assert not quick.closed
    assert hub.subscriptions == {quick}
    with pytest.raises(SubscriptionOverflowError):
        slow.take()


def test_publish_after_close_is_remembered_but_reaches_nobody() -> None:
    hub = make()
    readers = [listen(hub), listen(hub)]
    hub.publish(price("AAA"))
    hub.close()
    published = hub.publish(price("AAA"))
    assert all(reader.closed for reader in readers)
    assert [offsets(reader.take()) for reader in readers] == [[1], [1]]
    assert hub.latest_of(published.topic) is published
    assert hub.subscriptions == frozenset()


@given(sequence=st.lists(events, max_size=60), asked=st.sets(events.map(lambda e: e.topic)))
def test_latest_is_the_newest_of_each_topic_in_order(
    sequence: list[Event], asked: set[Topic]
) -> None:
    hub = make()
    newest: dict[Topic, int] = {}
    for event in sequence:
        newest[event.topic] = hub.publish(event).offset
    assert offsets(hub.latest(asked)) == sorted(newest[each] for each in asked & newest.keys())
    for kinds in (set[Kind](), {Kind.PRICE}, {Kind.TRADE, Kind.CONTROL}, set(Kind)):
        expected = sorted(offset for topic, offset in newest.items() if topic.kind in kinds)
        assert offsets(hub.latest_of_kinds(kinds)) == expected
    for topic, offset in newest.items():
        found = hub.latest_of(topic)
        assert found is not None
        assert found.offset == offset


def test_the_latest_values_cost_what_is_wanted_whatever_there_is() -> None:
    hub = make()

    def ask() -> int:
        wanted = [Topic(Kind.PRICE, "CRYPTO", symbol) for symbol in SYMBOLS]
        return lines_run(lambda: [hub.latest(wanted), hub.latest_of_kinds({Kind.BOOK})])

    for symbol in SYMBOLS:
        hub.publish(price(symbol))
        hub.publish(book(symbol))
    before = ask()
    for number in range(1000):
        hub.publish(price(f"S{number}"))
    assert ask() == before


def test_latest_of_a_topic_without_events_is_none() -> None:
    assert make().latest_of(Topic(Kind.PRICE, "X", "Y")) is None


@given(sequence=st.lists(events, max_size=40))
def test_a_resume_gives_exactly_the_events_after_every_seam(sequence: list[Event]) -> None:
    hub = make()
    published = [hub.publish(event) for event in sequence]
    assert hub.after("e1:0", ALL, Channel) == published
    for at, entry in enumerate(published, 1):
        assert hub.after(hub.event_id(entry), ALL, Channel) == published[at:]
        wanted = [each for each in published[at:] if each.topic.subject == "AAA"]
        missed = hub.after(hub.event_id(entry), len(published), Channel)
        assert [each for each in missed if only("AAA")(each.topic)] == wanted


@given(count=st.integers(0, 40), kept=st.integers(1, 20))
def test_a_resume_is_served_exactly_as_far_as_the_ring_reaches(count: int, kept: int) -> None:
    hub = make(resume_events=kept)
    published = [hub.publish(price("AAA")) for _ in range(count)]
    assert len(market(hub)) == min(count, kept)
    for offset in range(count + 1):
        if count - offset > kept:
            with pytest.raises(ResumeError, match="too old"):
                hub.after(f"e1:{offset}", ALL, Channel)
        else:
            assert hub.after(f"e1:{offset}", ALL, Channel) == published[offset:]


def test_a_resumed_reader_misses_nothing_and_gets_nothing_twice() -> None:
    hub = make()
    first = listen(hub)
    for _ in range(5):
        hub.publish(trade("AAA"))
    seen = first.take()
    first.close()
    for _ in range(5):
        hub.publish(trade("AAA"))
    second = listen(hub)
    missed = hub.after(hub.event_id(seen[-1]), ALL, Channel)
    for _ in range(5):
        hub.publish(trade("AAA"))
    assert offsets([*seen, *missed, *second.take()]) == list(range(1, 16))


@pytest.mark.parametrize(
    "event_id",
    [
        "",
        ":",
        "e1",
        "e1:",
        "e1:-1",
        "e1:+1",
        "e1: 1",
        "1",
        ":1",
        "e1:1.0",
        "e1:0x1",
        "e1:x",
        "e1:1_0",
        "e1:\u00b9",
        "e1:\u0661",
        "e1:" + "9" * 19,
        "e1:" + "9" * 100_000,
    ],
)
def test_a_malformed_id_is_refused_with_a_short_reason(event_id: str) -> None:
    hub = make()
    hub.publish(price())
    with pytest.raises(ResumeError) as caught:
        hub.after(event_id, ALL, Channel)
    assert "form epoch:n" in caught.value.reason
    assert len(caught.value.reason) < 120


@pytest.mark.parametrize("event_id", ["e2:0", "E1:1", "e1:e1:1", " e1:1"])
def test_an_id_of_another_epoch_is_refused(event_id: str) -> None:
    hub = make()
    hub.publish(price())
    with pytest.raises(ResumeError, match="another epoch"):
        hub.after(event_id, ALL, Channel)


def test_an_id_of_the_future_is_refused() -> None:
    hub = make()
    hub.publish(price())
    assert hub.after("e1:1", ALL, Channel) == []
    with pytest.raises(ResumeError, match="not been given out"):
        hub.after("e1:2", ALL, Channel)


@given(event_id=st.text(max_size=40).filter(lambda text: text not in {"e1:0", "e1:1"}))
def test_an_arbitrary_text_is_refused(event_id: str) -> None:
    hub = make()
    hub.publish(price())
    with pytest.raises(ResumeError):
        hub.after(event_id, ALL, Channel)


def test_events_older_than_60_s_are_forgotten() -> None:
    clock = Clock()
    hub = make(clock=clock)
    hub.publish(price("AAA"))
    clock.advance(seconds=1)
    second = hub.publish(price("AAA"))
    clock.advance(seconds=59)
    third = hub.publish(price("AAA"))
    assert hub.after("e1:0", ALL, Channel)[1:] == [second, third]
    clock.advance(ms=1)
    fourth = hub.publish(price("AAA"))
    assert hub.after("e1:1", ALL, Channel) == [second, third, fourth]
    with pytest.raises(ResumeError, match="too old"):
        hub.after("e1:0", ALL, Channel)


def test_a_wall_clock_that_is_set_forgets_nothing_and_keeps_nothing_longer() -> None:
    wall, monotonic = Clock(), Clock(0)
    hub = Hub(epoch="e1", clock=wall, monotonic=monotonic, resume_events=1000)
    for step_s in (7200, -7200, -7200):
        wall.advance(seconds=step_s)
        assert hub.publish(price("AAA")).ts_received == wall.now
        monotonic.advance(seconds=1)
    assert offsets(hub.after("e1:0", ALL, Channel)) == [1, 2, 3]
    monotonic.advance(seconds=58)
    hub.publish(price("AAA"))
    assert offsets(hub.recent({price("AAA").topic})) == [2, 3, 4]


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    clock = Clock()
    hub = make(clock=clock)
    for _ in range(3):
        hub.publish(price("AAA"))
        clock.advance(seconds=-3600)
    assert len(hub.after("e1:0", ALL, Channel)) == 3


def test_a_clock_that_is_set_forward_keeps_the_newest() -> None:
    clock = Clock()
    hub = make(clock=clock)
    hub.publish(price("AAA"))
    clock.advance(seconds=3600)
    newest = hub.publish(price("AAA"))
    assert hub.after("e1:1", ALL, Channel) == [newest]


def enveloped(characters: int, *, letter: str = "x") -> Event:
    return msgspec.structs.replace(trade("AAA"), envelope=letter * characters)


def test_the_ring_is_bounded_by_what_its_events_weigh() -> None:
    hub = make(resume_bytes=1_000_000)
    for _ in range(30):
        hub.publish(enveloped(100_000))
        assert market(hub).weight <= 1_000_000
    assert len(market(hub)) == 9
    assert offsets(hub.after("e1:21", ALL, Channel)) == list(range(22, 31))
    with pytest.raises(ResumeError, match="too old"):
        hub.after("e1:20", ALL, Channel)


def test_letters_beyond_ascii_weigh_what_they_take() -> None:
    hub = make(resume_bytes=1_000_000)
    for _ in range(30):
        hub.publish(enveloped(100_000, letter="\U0001f600"))
    assert len(market(hub)) == 2


def test_frames_weigh_too_as_they_are_made() -> None:
    hub = make(resume_bytes=100_000, one=lambda _published: "x" * 30_000)
    entries = [hub.publish(price("AAA")) for _ in range(10)]
    for entry in entries:
        hub.frame(entry, "one")
        assert market(hub).weight <= 100_000
    assert len(market(hub)) == 3
    before = market(hub).weight
    entries[0].frames.clear()
    hub.frame(entries[0], "one")  # of an event that is in the ring no more
    assert market(hub).weight == before


def test_an_event_heavier_than_all_of_the_ring_is_delivered_and_not_kept() -> None:
    hub = make(resume_bytes=1_000_000)
    reader = listen(hub)
    hub.publish(price("AAA"))
    hub.publish(enveloped(2_000_000))
    assert (len(market(hub)), market(hub).weight) == (0, 0)
    assert offsets(reader.take()) == [1, 2]
    assert hub.after("e1:2", ALL, Channel) == []
    with pytest.raises(ResumeError, match="too old"):
        hub.after("e1:1", ALL, Channel)
    hub.publish(price("AAA"))
    assert offsets(hub.after("e1:2", ALL, Channel)) == [3]


@given(sequence=st.lists(st.tuples(events, st.booleans(), st.integers(0, 90)), max_size=60))
def test_the_ring_weighs_what_is_in_it(sequence: list[tuple[Event, bool, int]]) -> None:
    clock = Clock()
    hub = make(
        clock=clock, resume_events=7, resume_bytes=6000, one=lambda entry: "x" * entry.seq * 50
    )
    entries: list[Published] = []
    for event, framed, seconds in sequence:
        entries.append(hub.publish(event))
        if framed:
            hub.frame(entries[len(entries) // 2], "one")
        clock.advance(seconds=seconds)
        for channel, ring in hub.rings.items():
            of_channel = [each for each in entries if each.topic.kind.channel is channel]
            kept = of_channel[len(of_channel) - len(ring) :]
            assert ring.weight == sum(entry.weight for entry in kept)
            assert list(ring) == kept
        assert market(hub).weight <= 6000
        assert len(market(hub)) <= 7


def test_an_event_is_encoded_at_most_once_per_dialect() -> None:
    calls: list[tuple[str, int]] = []

    def encoder(dialect: str) -> Callable[[Published], str]:
        def encode(published: Published) -> str:
            calls.append((dialect, published.offset))
            return f"{dialect}{published.offset}"

        return encode

    hub = make(one=encoder("one"), two=encoder("two"))
    readers = [listen(hub) for _ in range(10)]
    for _ in range(3):
        hub.publish(price("AAA"))
    frames = [hub.frame(entry, "one") for reader in readers for entry in reader.take()]
    assert frames == ["one1", "one2", "one3"] * 10
    assert hub.frame(hub.after("e1:2", ALL, Channel)[0], "two") == "two3"
    assert calls == [("one", 1), ("one", 2), ("one", 3), ("two", 3)]


def test_nothing_is_encoded_that_nobody_reads() -> None:
    def encode(_published: Published) -> str:
        raise AssertionError("encoded without a reader")

    hub = make(one=encode)
    listen(hub)
    assert hub.publish(price("AAA")).frames == {}


def test_an_event_that_cannot_be_written_is_counted_and_empty() -> None:
    def encode(_published: Published) -> str:
        raise OverflowError("int too big to convert")

    hub = make(one=encode)
    published = hub.publish(price("AAA"))
    assert hub.frame(published, "one") == ""
    assert hub.failures.by_place == {"one frame": 1}


def test_a_subscriber_that_fails_costs_no_other_one_its_events() -> None:
    def fail(_topic: Topic) -> bool:
        raise KeyError("of this filter alone")

    hub = make()
    failing, first = listen(hub, fail), listen(hub)
    second = listen(hub)
    assert offsets([hub.publish(price("AAA"))]) == [1]
    second.offer = fail  # type: ignore[method-assign, assignment]
    hub.publish(price("AAA"))
    assert offsets(first.take()) == [1, 2]
    assert offsets(second.take()) == [1]
    assert failing.take() == []
    assert hub.failures.by_place == {"reader": 2}


def test_an_unknown_dialect_is_an_error() -> None:
    hub = make()
    with pytest.raises(KeyError, match="other"):
        hub.frame(hub.publish(price()), "other")


def test_totals_add_up_open_and_closed_subscriptions_by_name() -> None:
    hub = make()
    leaving, staying = listen(hub, capacity=1), listen(hub)
    for _ in range(3):
        hub.publish(price("AAA"))
        hub.publish(trade("AAA"))
    expected = Totals(open=2, waiting=2 + 6, offered=12, conflated=2, lost=2)
    assert hub.totals() == {"reader": expected}
    leaving.close()
    staying.take()
    expected = Totals(open=1, waiting=0, offered=12, conflated=2, lost=2)
    assert hub.totals() == {"reader": expected}


def test_totals_count_a_closed_subscription_once() -> None:
    hub = make()
    reader = listen(hub)
    hub.publish(price("AAA"))
    reader.close()
    reader.change_filter(everything)
    assert hub.totals() == {"reader": Totals(offered=1)}


def test_totals_are_a_copy() -> None:
    hub = make()
    listen(hub).close()
    hub.totals()["reader"].offered = 99
    assert hub.totals()["reader"].offered == 0


def test_missed_events_can_be_read_in_parts() -> None:
    hub = make(resume_events=10)
    for _ in range(20):
        hub.publish(price())
    read: list[Published] = []
    since = "e1:12"
    while part := hub.after(since, 3, Channel):
        assert len(part) <= 3
        read += part
        since = hub.event_id(part[-1])
    assert offsets(read) == list(range(13, 21))
    assert offsets(hub.remembered(Channel.MARKET)) == list(range(11, 21))
    for wrong in ("e1:9", "e1:21", "e2:15", "15"):
        with pytest.raises(ResumeError):
            hub.after(wrong, 3, Channel)


def test_recent_gives_what_the_ring_holds_of_some_topics_oldest_first() -> None:
    clock = Clock()
    hub = make(clock=clock)
    hub.publish(price("AAA"))
    clock.advance(seconds=61)
    for event in (price("AAA"), trade("AAA"), price("BBB"), price("AAA")):
        hub.publish(event)
    assert offsets(hub.recent({price("AAA").topic})) == [2, 5]
    assert offsets(hub.recent({price("AAA").topic, trade("AAA").topic})) == [2, 3, 5]
    assert hub.recent(set()) == []
