import pytest

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.model import Kind, Topic
from dashboard.streaming.common_topics import CommonTopics
from tests.unit.streaming.live_product import listed

DIRECTORY = Directory(
    [
        Catalogue(feed="a", standing=[listed("AAPL", "NASDAQ")], on_demand=[listed("TCS", "NSE")]),
        Catalogue(
            feed="b", standing=[listed("AAPL", "NSE"), listed("TCS", "BSE"), listed("INFY", "BSE")]
        ),
    ]
)


@pytest.mark.parametrize(
    ("key", "common"),
    [
        (("NASDAQ", "AAPL"), True),
        (("NSE", "AAPL"), False),
        (("NSE", "TCS"), False),
        (("BSE", "TCS"), True),
        (("BSE", "INFY"), True),
        (("XETRA", "AAPL"), False),
        (("XETRA", "SAP"), True),
        (("", ""), True),
    ],
)
def test_of_namesakes_the_first_standing_one_is_common(key: tuple[str, str], common: bool) -> None:
    topics = CommonTopics()
    topics.look_into(DIRECTORY)
    assert topics[Topic(Kind.PRICE, *key)] is common


def test_another_directory_is_looked_into_anew() -> None:
    topics, topic = CommonTopics(), Topic(Kind.PRICE, "BSE", "INFY")
    assert topics[topic]
    topics.look_into(Directory([Catalogue(feed="a", standing=[listed("INFY", "NSE")])]))
    assert not topics[topic]


def test_an_instrument_is_looked_up_once_however_many_events_it_has() -> None:
    class Counted(Directory):
        count = 0

        def is_on_demand(self, key: tuple[str, str]) -> bool:
            self.count += 1
            return super().is_on_demand(key)

    topics, counted = CommonTopics(), Counted()
    for _ in range(100):
        topics.look_into(counted)
        assert topics[Topic(Kind.PRICE, "X", "A")]
    assert counted.count == 1
