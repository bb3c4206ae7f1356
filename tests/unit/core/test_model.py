import msgspec
import pytest

from dashboard.core.model import (
    LEVEL_BYTES,
    POSITION_BYTES,
    Event,
    Kind,
    Positions,
    Topic,
)
from tests.unit.fakes import book, control, price, system, trade


@pytest.mark.parametrize(
    ("event", "topic"),
    [
        (price("AAPL", exchange="NASDAQ"), Topic(Kind.PRICE, "NASDAQ", "AAPL")),
        (trade("ETH/USD"), Topic(Kind.TRADE, "CRYPTO", "ETH/USD")),
        (book("ETH/USD"), Topic(Kind.BOOK, "CRYPTO", "ETH/USD")),
        (system(), Topic(Kind.SYSTEM, "", "")),
        (control(), Topic(Kind.CONTROL, "", "")),
    ],
)
def test_topic_of_each_event(event: Event, topic: Topic) -> None:
    assert event.topic == topic


def test_one_symbol_on_two_exchanges_makes_two_topics() -> None:
    assert price("X", exchange="A").topic != price("X", exchange="B").topic


def test_only_trades_may_not_be_conflated() -> None:
    every = [price(), trade(), book(), system(), control()]
    assert [event.kind for event in every if not event.conflatable] == [Kind.TRADE]


def test_an_event_weighs_more_with_what_grows_in_it() -> None:
    deep = book(bids=tuple((float(level), 1.0) for level in range(1, 1001)))
    assert deep.weigh() - book(bids=()).weigh() == 1000 * LEVEL_BYTES
    text = "x" * 1000
    for event in (price(), trade(), book()):
        assert msgspec.structs.replace(event, envelope=text).weigh() == event.weigh() + 1000
        foreign = msgspec.structs.replace(event, envelope="\u20ac" * 1000)
        assert foreign.weigh() == event.weigh() + 4000
    named = msgspec.structs.replace(trade(), envelope=text, buyer=text, seller=text)
    assert named.weigh() == trade().weigh() + 3000
    held = Positions(client="a", exchange="E", positions={}, ts_event=0)
    more = msgspec.structs.replace(held, positions={str(n): 1.0 for n in range(1000)})
    assert more.weigh() == held.weigh() + 1000 * POSITION_BYTES


def test_the_bare_event_has_no_topic() -> None:
    with pytest.raises(TypeError, match="Event"):
        _ = Event(ts_event=0).topic


@pytest.mark.parametrize("event", [price(), trade(), book(), system(), control()])
def test_events_cannot_be_changed(event: Event) -> None:
    with pytest.raises(AttributeError):
        event.ts_event = 1  # pyright: ignore[reportAttributeAccessIssue] - the test
