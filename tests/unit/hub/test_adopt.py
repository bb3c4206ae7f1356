import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.codec import MSGPACK
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.errors import HubError, ResumeError
from dashboard.core.model import Channel, Event, Kind, Pnl, Published
from dashboard.hub.hub import Hub
from tests.unit.fakes import Clock, book, price, system, trade

events = st.sampled_from(
    [
        price("AAA"),
        price("BBB"),
        trade("AAA"),
        book("BBB"),
        system(),
        Pnl(client="Ann", exchange="E", pnl=1.5, ts_event=0),
    ]
)
END = "end"
"""The end of the topic that was last published to, in place of an event."""


def new_hub(epoch: str, *, resume_events: int = 1000) -> Hub:
    return Hub(
        epoch=epoch,
        clock=Clock(),
        resume_events=resume_events,
        encoders={"ids": lambda epoch: lambda published: f"{epoch}:{published.offset}"},
    )


def everything(hub: Hub, *, capacity: int = 1000) -> "Reader":
    return Reader(hub, capacity)


class Reader:
    def __init__(self, hub: Hub, capacity: int) -> None:
        self._subscription = hub.subscribe(
            name="all",
            wants=lambda _topic: True,
            capacity=capacity,
            policy=OverflowPolicy.DROP_OLDEST,
        )

    def take(self) -> list[Published]:
        return self._subscription.take()


def carry(published: Published, owner: Hub, web: Hub) -> None:
    epoch, read = MSGPACK.decode_published(MSGPACK.encode_published(published, epoch=owner.epoch))
    web.adopt(read, epoch=epoch)


def numbers(entries: list[Published]) -> list[tuple[object, ...]]:
    return [
        (each.event, each.topic, each.seq, each.offset, each.ts_received, each.monotonic_ns)
        for each in entries
    ]


@given(sequence=st.lists(events | st.just(END), max_size=60), kept=st.integers(1, 20))
def test_who_reads_the_other_hub_finds_what_the_first_has(
    sequence: list[Event | str], kept: int
) -> None:
    owner, web = new_hub("owner", resume_events=kept), new_hub("web", resume_events=kept)
    source, here, there = everything(owner), everything(owner), everything(web)
    topic = price("AAA").topic
    for each in sequence:
        if isinstance(each, Event):
            topic = owner.publish(each).topic
        else:
            owner.end(topic)
        for published in source.take():
            carry(published, owner, web)
    assert numbers(there.take()) == numbers(here.take())
    assert numbers(web.latest_of_kinds(Kind)) == numbers(owner.latest_of_kinds(Kind))
    assert web.published == owner.published
    if not owner.published:
        return
    assert (web.epoch, web.newest_id) == (owner.epoch, owner.newest_id)
    for channels in ({Channel.MARKET}, {Channel.ACCOUNTS}, Channel):
        for offset in range(owner.published + 1):
            assert missed(web, offset, channels) == missed(owner, offset, channels)


def missed(hub: Hub, offset: int, channels: object) -> object:
    try:
        return numbers(hub.after(f"owner:{offset}", 1000, channels))  # type: ignore[arg-type]
    except ResumeError as error:
        return error.reason


def test_what_is_adopted_is_written_with_the_owners_epoch() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    assert web.frame(web_entry(owner, web), "ids") == "owner:1"


def web_entry(owner: Hub, web: Hub) -> Published:
    published = owner.publish(price())
    carry(published, owner, web)
    found = web.latest_of(published.topic)
    assert found is not None
    return found


def test_the_hubs_share_nothing_but_the_event() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    published = owner.publish(price())
    owner.frame(published, "ids")
    web.adopt(published, epoch=owner.epoch)
    adopted = web.latest_of(published.topic)
    assert adopted is not None
    assert adopted.frames == {}
    assert web.rings[Channel.MARKET].weight == adopted.weight < published.weight


def test_what_came_before_the_first_cannot_be_resumed_from() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    for _ in range(5):
        owner.publish(price())
    carry(owner.publish(price()), owner, web)
    assert web.after("owner:5", 9, Channel) != []
    for channels in ({Channel.MARKET}, {Channel.ACCOUNTS}):
        with pytest.raises(ResumeError, match="too old"):
            web.after("owner:4", 9, channels)


def test_a_gap_can_not_be_resumed_over_and_costs_no_latest_value() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    first = web_entry(owner, web)
    owner.publish(trade())
    third = owner.publish(book())
    carry(third, owner, web)
    assert numbers(web.latest_of_kinds(Kind)) == numbers([first, third])
    assert numbers(web.after("owner:2", 9, Channel)) == numbers([third])
    with pytest.raises(ResumeError, match="too old"):
        web.after("owner:1", 9, {Channel.ACCOUNTS})


def test_what_it_has_already_is_left_out() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    reader = everything(web)
    entries = [owner.publish(price()) for _ in range(3)]
    for published in (*entries, *entries):
        carry(published, owner, web)
    assert numbers(reader.take()) == numbers(entries)


def test_all_begins_anew_with_another_epoch() -> None:
    first, second, web = new_hub("first"), new_hub("second"), new_hub("web")
    reader = everything(web)
    for _ in range(5):
        carry(first.publish(price("AAA")), first, web)
    carry(second.publish(trade("BBB")), second, web)
    assert (web.epoch, web.published) == ("second", 1)
    assert [each.topic.subject for each in web.latest_of_kinds(Kind)] == ["BBB"]
    assert [each.offset for each in web.after("second:0", 9, Channel)] == [1]
    assert [web.frame(each, "ids") for each in reader.take()] == ["second:1"]
    with pytest.raises(ResumeError, match="another epoch"):
        web.after("first:3", 9, Channel)


def test_a_hub_either_publishes_or_adopts() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    published = web_entry(owner, web)
    with pytest.raises(HubError, match="publishes nothing"):
        web.publish(price())
    with pytest.raises(HubError, match="publishes nothing"):
        web.end(published.topic)
    with pytest.raises(HubError, match="adopts nothing"):
        owner.adopt(published, epoch="web")


def test_a_subscriber_that_fails_costs_no_other_one_its_events() -> None:
    owner, web = new_hub("owner"), new_hub("web")
    failing, reader = everything(web), everything(web)

    def fail(_published: Published) -> None:
        raise KeyError("of this one alone")

    failing._subscription.offer = fail  # type: ignore[method-assign]
    carry(owner.publish(price()), owner, web)
    assert [each.offset for each in reader.take()] == [1]
    assert web.failures.by_place == {"all": 1}
