import sys

import pytest

from dashboard.core.bars import Interval
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.instruments import Instrument
from dashboard.core.model import Channel, Ended, Kind, Pnl, Positions, Topic
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.history.quotes import Quotes
from dashboard.hub.hub import Hub
from dashboard.hub.subscription import Subscription
from dashboard.protocols import live, sse
from tests.unit.fakes import Clock, book, price, published, trade

BTC = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)


def new_hub() -> Hub:
    return Hub(epoch="e", clock=Clock(), resume_events=10)


def listen(hub: Hub, symbol: str) -> Subscription:
    return hub.subscribe(
        name="reader",
        wants=lambda topic: topic.subject == symbol,
        capacity=10,
        policy=OverflowPolicy.CONFLATE,
    )


def test_who_wants_a_topic_is_told_its_end_and_then_nothing_is_kept() -> None:
    hub = new_hub()
    reader, other = listen(hub, "A"), listen(hub, "B")
    topic = hub.publish(price("A")).topic
    hub.publish(price("A"))
    hub.end(topic)
    last = reader.take()[-1]
    assert last.event == Ended(of=topic, ts_event=Clock().now)
    assert (last.topic, last.seq, last.offset) == (topic, 3, 3)
    assert other.take() == []
    assert hub.latest_of(topic) is None
    assert hub.latest([topic]) == hub.latest_of_kinds(Kind) == []
    assert [each.offset for each in hub.after("e:1", 9, Channel)] == [2, 3]


def test_a_topic_that_begins_again_counts_from_one_and_finds_its_readers() -> None:
    hub = new_hub()
    reader = listen(hub, "A")
    topic = hub.publish(price("A")).topic
    hub.end(topic)
    hub.end(topic)
    again = hub.publish(price("A"))
    assert (again.seq, again.offset) == (1, 3)
    assert reader.take()[-1] is again
    assert hub.latest([topic]) == [again]


def test_the_end_of_what_has_not_begun_is_nothing() -> None:
    hub = new_hub()
    hub.end(Topic(Kind.PRICE, "X", "Y"))
    assert hub.published == 0


def test_a_hundred_thousand_topics_that_end_leave_nothing() -> None:
    hub = new_hub()
    reader = listen(hub, "")

    def begin_and_end(numbers: range) -> None:
        topics = [hub.publish(price(f"S{number}")).topic for number in numbers]
        for topic in topics:
            hub.end(topic)

    begin_and_end(range(1000))
    before = sys.getallocatedblocks()
    for first in range(1000, 101_000, 1000):
        begin_and_end(range(first, first + 1000))
    left = sys.getallocatedblocks() - before
    assert hub.published == 2 * 101_000
    assert left < 1000, "blocks of memory; a topic alone takes more than one"
    assert reader.take() == []


def test_quotes_forget_an_instrument_whose_topics_have_all_ended() -> None:
    hub = new_hub()
    quotes = Quotes(hub)
    topics = [hub.publish(event).topic for event in (price(), trade(), book())]
    for topic in topics[:2]:
        hub.end(topic)
    assert list(quotes.ticks())
    assert quotes.of("CRYPTO", "BTC/USD") is not None
    hub.end(topics[2])
    assert list(quotes.ticks()) == []
    assert quotes.of("CRYPTO", "BTC/USD") is None


def test_accounts_forget_a_client_whose_topics_have_ended() -> None:
    hub = new_hub()
    accounts = Accounts(hub)
    pnl = hub.publish(Pnl(client="a", exchange="E", pnl=1, ts_event=0)).topic
    held = hub.publish(Positions(client="a", exchange="E", positions={}, ts_event=0)).topic
    hub.end(pnl)
    assert len(accounts.current()) == 1
    hub.end(held)
    assert accounts.current() == []
    assert hub.failures.by_place == {}


def test_bars_go_with_their_trades() -> None:
    hub = new_hub()
    bars = Bars(hub)
    topic = hub.publish(trade()).topic
    assert len(bars.of(BTC, Interval.S1, 9)) == 1
    hub.end(topic)
    assert bars.of(BTC, Interval.S1, 9) == []


@pytest.mark.parametrize("protocol", [live, sse])
def test_no_protocol_has_a_frame_for_the_end_of_a_topic(protocol: object) -> None:
    ended = published(Ended(of=trade().topic, ts_event=0))
    assert not protocol.carries(ended.event)  # type: ignore[attr-defined]
