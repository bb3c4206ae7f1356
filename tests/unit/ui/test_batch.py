import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.model import Event, Published, Side
from dashboard.ui.batch import market_part
from tests.unit.fakes import MS_NS, book, control, price, published, system, trade

INDEX = {"BTC/USD": 0, "ETH/USD": 1}


def numbered(*events: Event, ts_received: int = 0) -> list[Published]:
    return [
        published(event, offset, ts_received=ts_received) for offset, event in enumerate(events, 1)
    ]


def part(*events: Event, chosen: str = "BTC/USD", now: int = 0) -> dict[str, object]:
    return market_part(numbered(*events), index=INDEX, chosen=chosen, now=now)


def test_nothing_makes_a_count_of_none_and_no_other_key() -> None:
    assert part() == {"c": 0}


def test_prices_are_flat_and_in_order() -> None:
    got = part(price("ETH/USD", 2.5), price("BTC/USD", 1.5), price("ETH/USD", 2.75))
    assert got["p"] == [1, 2.5, 0, 1.5, 1, 2.75]


def test_trades_carry_a_signed_side_and_the_time_in_ms() -> None:
    got = part(
        trade("BTC/USD", 1.5, size=0.5, side=Side.BUY, ts=12_345_678),
        trade("ETH/USD", 2.5, size=0.25, side=Side.SELL, ts=99 * MS_NS),
    )
    assert got["r"] == [[0, 1.5, 0.5, 1, 12], [1, 2.5, 0.25, -1, 99]]


def test_the_book_of_the_chosen_symbol_is_flat_best_first() -> None:
    event = book("ETH/USD", bids=((9.0, 1.0), (8.0, 2.0)), asks=((10.0, 3.0),))
    assert part(event, chosen="ETH/USD")["b"] == [1, [9.0, 1.0, 8.0, 2.0], [10.0, 3.0]]


def test_a_partial_book_says_so() -> None:
    event = msgspec.structs.replace(book("ETH/USD", bids=((9.0, 1.0),), asks=()), partial=True)
    assert part(event, chosen="ETH/USD")["b"] == [1, [9.0, 1.0], [], 1]


def test_the_newest_book_wins() -> None:
    old = book("BTC/USD", bids=((1.0, 1.0),))
    new = book("BTC/USD", bids=((2.0, 2.0),), asks=())
    assert part(old, new, book("ETH/USD"))["b"] == [0, [2.0, 2.0], []]


def test_the_book_of_another_symbol_is_only_counted() -> None:
    got = part(book("ETH/USD"), chosen="BTC/USD")
    assert "b" not in got
    assert got["c"] == 1


def test_the_book_of_a_chosen_symbol_that_is_not_watched_is_left_out() -> None:
    got = part(book("SOL/USD"), chosen="SOL/USD")
    assert "b" not in got
    assert got["c"] == 1


def test_symbols_that_are_not_watched_are_only_counted() -> None:
    got = part(price("SOL/USD"), trade("SOL/USD"), price("BTC/USD", 1.5))
    assert got["c"] == 3
    assert got["p"] == [0, 1.5]
    assert "r" not in got


def test_the_newest_system_figures_win() -> None:
    got = part(system(cpu_pct=1.5, mem_mb=2, msg_rate=3), system(cpu_pct=4.5, mem_mb=5, msg_rate=6))
    assert got["y"] == [4.5, 5, 6]
    assert got["c"] == 2


def test_control_is_only_counted() -> None:
    assert part(control()) == {"c": 1}


def test_the_hops_are_those_of_the_newest_market_event() -> None:
    entries = [
        published(price(ts=100 * MS_NS), 1, ts_received=101 * MS_NS),
        published(trade("SOL/USD", ts=200 * MS_NS), 2, ts_received=200 * MS_NS + 1_250_000),
        published(system(ts=0), 3, ts_received=300 * MS_NS),
        published(control(ts=0), 4, ts_received=301 * MS_NS),
    ]
    got = market_part(entries, index=INDEX, chosen="", now=210 * MS_NS)
    assert got["h"] == [1.25, 8.75]


def test_system_events_alone_have_no_hops() -> None:
    assert "h" not in part(system())


events = st.one_of(
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(price),
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(trade),
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(lambda symbol: book(symbol)),
    st.just(system()),
    st.just(control()),
)


@given(sequence=st.lists(events, max_size=50))
def test_every_event_is_counted_and_every_watched_one_carried(sequence: list[Event]) -> None:
    got = part(*sequence)
    watched = [event for event in sequence if event.topic.symbol in INDEX]
    assert got["c"] == len(sequence)
    carried = (len(got.get("p", ())) / 2, len(got.get("r", ())))  # pyright: ignore[reportArgumentType]
    assert carried == (
        sum(event.kind == "price" for event in watched),
        sum(event.kind == "trade" for event in watched),
    )
    assert got.keys() <= {"c", "p", "r", "b", "h", "y"}
    assert json.loads(json.dumps(got)) == got
