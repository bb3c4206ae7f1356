import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument, Sent
from dashboard.core.model import Event, Price, PriceBasis, Published, Quote, Side, Theo, Topic
from dashboard.ui.batch import (
    MAX_PAST_TRADES,
    counts,
    detail_part,
    hops,
    is_outdone,
    last_traded,
    market_part,
    past_part,
)
from tests.unit.fakes import MS_NS, book, control, price, published, system, trade

INDEX = {("CRYPTO", "BTC/USD"): 0, ("CRYPTO", "ETH/USD"): 1}
AAPL = Instrument(symbol="AAPL", exchange="REDIS", tick_size=0.01, underlying="AAPL_STOCK")


def numbered(*events: Event, ts_received: int = 0) -> list[Published]:
    return [
        published(event, offset, ts_received=ts_received) for offset, event in enumerate(events, 1)
    ]


def sent(part: object) -> Any:
    """Give what the page gets: rows are arrays."""
    return json.loads(msgspec.json.encode(part))


def part(*events: Event, chosen: str = "BTC/USD") -> dict[str, Any]:
    key = ("CRYPTO", chosen)
    return sent(market_part(numbered(*events), index=INDEX, chosen=key, latest_of=latest()))


def latest(*events: Event) -> Callable[[Topic], Published | None]:
    return {entry.topic: entry for entry in numbered(*events)}.get


def mid(symbol: str, value: float) -> Price:
    return msgspec.structs.replace(price(symbol, value), basis=PriceBasis.MID)


def test_nothing_makes_no_key() -> None:
    assert part() == {}


def test_prices_are_flat_and_in_order() -> None:
    got = part(price("ETH/USD", 2.5), price("BTC/USD", 1.5), price("ETH/USD", 2.75))
    assert got["p"] == [1, 2.5, 0, 1.5, 1, 2.75]


def test_mids_come_apart_from_prices_with_their_ages_behind_those() -> None:
    entries = numbered(mid("BTC/USD", 1.25), price("ETH/USD", 3.5), mid("ETH/USD", 2.5))
    for age_ms, entry in enumerate(entries, 1):
        entry.monotonic_ns = -age_ms * MS_NS
    got = market_part(entries, index=INDEX, chosen=None, latest_of=latest(), aged_at=0)
    assert got == {"p": [1, 3.5], "x": [0, 1.25, 1, 2.5], "u": [2, 1, 3]}


def test_a_mid_of_what_has_traded_is_outdone() -> None:
    hub_has = latest(price("ETH/USD"), trade("BTC/USD"))
    entries = numbered(mid("BTC/USD", 1.25), mid("ETH/USD", 1.25), price("BTC/USD"))
    assert [is_outdone(entry, hub_has) for entry in entries] == [True, False, False]
    got = market_part(entries, index=INDEX, chosen=None, latest_of=hub_has)
    assert got == {"x": [1, 1.25], "p": [0, 45_000.5]}


def test_the_price_of_the_last_trade_stands_in_for_a_mid() -> None:
    [entry] = numbered(mid("BTC/USD", 1.25))
    assert last_traded(entry, latest()) is entry
    hub_has = latest(price("ETH/USD"), trade("BTC/USD", 1.5, size=0.5, ts=7))
    stood_in = last_traded(entry, hub_has)
    assert stood_in.event == price("BTC/USD", 1.5, volume=0.5, ts=7)
    assert (stood_in.topic, stood_in.offset) == (entry.topic, 2)
    [last] = numbered(price("BTC/USD"))
    assert last_traded(last, hub_has) is last


def test_trades_carry_a_signed_side_and_the_time_in_ms() -> None:
    got = part(
        trade("BTC/USD", 1.5, size=0.5, side=Side.BUY, ts=12_345_678),
        trade("ETH/USD", 2.5, size=0.25, side=Side.SELL, ts=99 * MS_NS),
    )
    assert got["r"] == [[0, 1.5, 0.5, 1, 12], [1, 2.5, 0.25, -1, 99]]


def test_the_book_of_the_chosen_symbol_is_flat_best_first() -> None:
    event = book("ETH/USD", bids=((9.0, 1.0), (8.0, 2.0)), asks=((10.0, 3.0),))
    assert part(event, chosen="ETH/USD")["b"] == [1, [9.0, 1.0, 8.0, 2.0], [10.0, 3.0], 0]


def test_a_partial_book_says_so() -> None:
    event = msgspec.structs.replace(book("ETH/USD", bids=((9.0, 1.0),), asks=()), partial=True)
    assert part(event, chosen="ETH/USD")["b"] == [1, [9.0, 1.0], [], 1]


def test_the_newest_book_wins() -> None:
    old = book("BTC/USD", bids=((1.0, 1.0),))
    new = book("BTC/USD", bids=((2.0, 2.0),), asks=())
    assert part(old, new, book("ETH/USD"))["b"] == [0, [2.0, 2.0], [], 0]


def test_the_book_of_another_symbol_is_left_out() -> None:
    got = part(book("ETH/USD"), chosen="BTC/USD")
    assert "b" not in got


def test_the_book_of_a_chosen_symbol_that_is_not_watched_is_left_out() -> None:
    got = part(book("SOL/USD"), chosen="SOL/USD")
    assert "b" not in got


def test_symbols_that_are_not_watched_are_left_out() -> None:
    got = part(price("SOL/USD"), trade("SOL/USD"), price("BTC/USD", 1.5))
    assert got["p"] == [0, 1.5]
    assert "r" not in got


def test_the_newest_system_figures_win() -> None:
    got = part(system(cpu_pct=1.5, mem_mb=2, msg_rate=3), system(cpu_pct=4.5, mem_mb=5, msg_rate=6))
    assert got["y"] == [4.5, 5, 6]


def test_control_is_left_out() -> None:
    assert part(control()) == {}


def test_the_hops_are_those_of_a_market_event() -> None:
    newest = published(trade("SOL/USD", ts=200 * MS_NS), 2, ts_received=200 * MS_NS + 1_250_000)
    assert sent(hops(newest, now=210 * MS_NS)) == [1.25, 8.75]


def test_what_is_of_no_instrument_has_no_hops() -> None:
    assert hops(published(system(ts=0), 3, ts_received=300 * MS_NS), now=310 * MS_NS) is None


def test_another_exchange_with_the_same_symbol_is_another_instrument() -> None:
    got = part(price("BTC/USD", 9.0, exchange="OTHER"), price("BTC/USD", 1.5))
    assert got["p"] == [0, 1.5]


def test_a_trade_whose_source_names_them_ends_with_buyer_and_seller() -> None:
    named = msgspec.structs.replace(trade("BTC/USD", 1.5), buyer="Aurora", seller=None)
    assert part(named)["r"] == [[0, 1.5, 0.25, 1, 0, "Aurora", None]]


def quote(bid: float | None, ask: float | None, *, ms: int = 0, exchange: str = "REDIS") -> Quote:
    return Quote(
        symbol="AAPL",
        exchange=exchange,
        bid_price=bid,
        bid_size=0 if bid is None else 2,
        ask_price=ask,
        ask_size=0 if ask is None else 3,
        ts_event=ms * MS_NS,
    )


def theo(underlying: str, value: float, *, exchange: str = "REDIS", ms: int = 0) -> Theo:
    return Theo(underlying=underlying, exchange=exchange, price=value, ts_event=ms * MS_NS)


def test_detail_has_the_quotes_of_its_instrument_in_order() -> None:
    got = detail_part(
        numbered(quote(1.0, 2.0, ms=5), quote(9.0, 9.5, exchange="X"), quote(None, 2.5, ms=7)),
        AAPL,
        latest(),
    )
    assert sent(got) == {"q": [[5, 1.0, 2, 2.0, 3], [7, None, 0, 2.5, 3]]}


def test_detail_has_the_theoretical_prices_of_its_underlying_alone_with_their_times() -> None:
    entries = numbered(
        theo("AAPL_STOCK", 1.5, ms=7),
        theo("OTHER", 2.5),
        theo("AAPL_STOCK", 3.5, exchange="X"),
        theo("AAPL_STOCK", 1.75, ms=9),
    )
    assert sent(detail_part(entries, AAPL, latest())) == {"o": [[7, 1.5], [9, 1.75]]}
    bare = msgspec.structs.replace(AAPL, underlying=None)
    assert detail_part(entries, bare, latest()) == {}


def test_detail_has_last_prices_where_no_quotes_are_sent() -> None:
    entries = numbered(
        price("AAPL", 1.5, exchange="REDIS", ts=7 * MS_NS), price("AAPL", 2.5, exchange="X")
    )
    assert sent(detail_part(entries, AAPL, latest())) == {"z": [[7, 1.5]]}
    assert sent(past_part(entries[:1], at=3))[3] == [[7, 1.5]]
    quoted = msgspec.structs.replace(AAPL, sends=(Sent.BOOK, Sent.QUOTES))
    assert detail_part(entries, quoted, latest()) == {}


def test_events_of_an_instrument_are_counted_by_kind() -> None:
    entries = numbered(
        price("BTC/USD"), price("BTC/USD"), trade("BTC/USD"), book("BTC/USD"), book("ETH/USD")
    )
    assert sent(counts(entries, ("CRYPTO", "BTC/USD"))) == [0, 1, 1, 2]
    assert counts(entries, ("CRYPTO", "SOL/USD")) is None


def test_a_historical_trade_is_not_counted() -> None:
    [past] = numbered(msgspec.structs.replace(trade("BTC/USD"), historical=True))
    assert counts([past], ("CRYPTO", "BTC/USD")) is None


def test_the_past_is_thinned_out_to_the_last_quote_of_each_span_and_the_newest_trades() -> None:
    quotes = [quote(float(ms), None, ms=ms) for ms in (0, 10, 49, 50, 120, 130)]
    trades = [trade("AAPL", float(n), ts=n) for n in range(MAX_PAST_TRADES + 5)]
    theos = [theo("AAPL_STOCK", float(ms), ms=ms) for ms in (0, 20, 60)]
    past = sent(past_part(numbered(*quotes, *trades, *theos), at=3))
    assert [row[1] for row in past[0]] == [49.0, 50.0, 130.0]
    assert [row[1] for row in past[1]] == [float(n) for n in range(5, MAX_PAST_TRADES + 5)]
    assert past[1][0][0] == 3
    assert past[2] == [[20, 20.0], [60, 60.0]]


def test_the_past_moves_with_a_clock_that_was_set_since() -> None:
    before, after = numbered(
        trade("AAPL", 1.0, ts=5000 * MS_NS), trade("AAPL", 2.0, ts=900 * MS_NS)
    )
    before.ts_received, before.monotonic_ns = 7_200_000 * MS_NS, 100 * MS_NS
    after.ts_received, after.monotonic_ns = 1000 * MS_NS, 200 * MS_NS
    trades = sent(past_part([before, after], at=3, offset_ns=800 * MS_NS))[1]
    assert [row[-1] for row in trades] == [5000 - 7_200_000 + 900, 900]


events = st.one_of(
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(price),
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(trade),
    st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"]).map(lambda symbol: book(symbol)),
    st.just(system()),
    st.just(control()),
)


@given(sequence=st.lists(events, max_size=50))
def test_every_watched_event_is_carried(sequence: list[Event]) -> None:
    got = part(*sequence)
    watched = [event for event in sequence if event.topic[1:] in INDEX]
    carried = (len(got.get("p", ())) / 2, len(got.get("r", ())))
    assert carried == (
        sum(event.kind == "price" for event in watched),
        sum(event.kind == "trade" for event in watched),
    )
    assert got.keys() <= {"p", "r", "b", "y"}
