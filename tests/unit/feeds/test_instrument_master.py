from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from dashboard.core.errors import FeedError
from dashboard.core.feed_state import FeedState
from dashboard.core.instruments import Instrument
from dashboard.feeds.base import Publish
from dashboard.feeds.instrument_master import InstrumentMaster


class Listed:
    """A feed that delivers all it has."""

    flowing_state = FeedState.LIVE
    gaps = 0
    skipped = 0

    def __init__(self, name: str, *ids: str) -> None:
        self.name = name
        self.subscribed: list[str] = []
        self._instruments = [instrument(id_) for id_ in ids]

    def instruments(self) -> Sequence[Instrument]:
        return self._instruments

    async def run(self, publish: Publish) -> None: ...

    async def subscribe(self, instrument: Instrument) -> None:
        self.subscribed.append(instrument.id)

    async def unsubscribe(self, instrument: Instrument) -> None: ...


class Demanded(Listed):
    """A feed that delivers nothing by itself."""

    def instruments(self) -> Sequence[Instrument]:
        return []

    def on_demand(self) -> Sequence[Instrument]:
        return self._instruments


class Refusing(Demanded):
    async def subscribe(self, instrument: Instrument) -> None:
        raise FeedError(feed=self.name, problem="not today")


def instrument(id_: str) -> Instrument:
    exchange, _, symbol = id_.partition(":")
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)


def ids(instruments: Sequence[Instrument]) -> list[str]:
    return [each.id for each in instruments]


def test_what_is_on_demand_is_listed_last_and_an_id_once() -> None:
    master = InstrumentMaster(
        [Demanded("one", "NSE:TCS", "A:X"), Listed("two", "A:X", "A:Y"), Listed("three", "A:Y")]
    )
    assert ids(master.standing) == ["A:X", "A:Y"]
    assert ids(master.on_demand) == ["NSE:TCS"]
    assert ids(master.listings) == ["A:X", "A:Y", "NSE:TCS"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A:X", ["A:X"]),
        ("NSE:X", ["NSE:X"]),
        ("X", ["A:X", "B:X"]),
        ("Y", ["NSE:Y", "BSE:Y"]),
        ("NSE", []),
        ("", []),
    ],
)
def test_a_name_is_an_id_or_a_symbol_of_standing_ones_first(name: str, found: list[str]) -> None:
    feeds = [Demanded("one", "NSE:X", "NSE:Y", "BSE:Y"), Listed("two", "A:X"), Listed("3", "B:X")]
    assert ids(InstrumentMaster(feeds).named(name)) == found


async def test_what_is_on_demand_is_delivered_by_its_own_feed() -> None:
    feeds = [Listed("one", "A:X"), Demanded("two", "NSE:X"), Demanded("three", "NSE:X", "NSE:Y")]
    master = InstrumentMaster(feeds)
    for each in master.listings:
        await master.deliver(each)
    assert [feed.subscribed for feed in feeds] == [[], ["NSE:X"], ["NSE:Y"]]


async def test_a_refusal_is_logged() -> None:
    master = InstrumentMaster([Refusing("one", "NSE:X")])
    with capture_logs() as logs:
        await master.deliver(master.on_demand[0])
    (entry,) = logs
    assert (entry["log_level"], entry["instrument"], entry["error"]) == (
        "warning",
        "NSE:X",
        "not today",
    )
