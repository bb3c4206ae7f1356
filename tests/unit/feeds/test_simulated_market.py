import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.market_quote import DAY_NS
from dashboard.core.model import (
    Book,
    Event,
    Kind,
    OpenInterest,
    Price,
    Quote,
    Side,
    System,
    Trade,
)
from dashboard.feeds.simulated_market import SimulatedMarket
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from tests.unit.fakes import MS_NS, SECOND_NS, Clock

START = 1_700_000_000 * SECOND_NS
SYMBOLS = ["BTC/USD", "ETH/USD", "SOL/USD", "AAPL", "TSLA"]


def make(
    interval_ms: int = 50, *, seed: int | None = 1, symbols: int | None = None, listed: int = 0
) -> SimulatedMarket:
    return SimulatedMarket(
        interval_ms=interval_ms, now=START, seed=seed, symbols=symbols, listed=listed
    )


def play(market: SimulatedMarket, *, seconds: float, start: int = START) -> list[Event]:
    """Give the events of the time from `start`, its end not included."""
    events: list[Event] = []
    while (now := max(start, market.next_due)) < start + round(seconds * SECOND_NS):
        events += market.due(now)
    return events


def kinds(events: list[Event]) -> Counter[Kind]:
    return Counter(event.kind for event in events)


def wire(*, seed: int, symbols: int | None = None) -> str:
    """Give a hash of every byte that a minute with two changes of frequency writes."""
    clock = Clock(START)
    hub = Hub(epoch="e", clock=clock, resume_events=1, encoders={"live": live.encoder})
    market = make(seed=seed, symbols=symbols)
    digest = hashlib.sha256()
    for second, interval_ms in enumerate((50, 10, 1000)):
        start = START + second * SECOND_NS
        market.set_interval(interval_ms, start)
        for event in play(market, seconds=1, start=start):
            clock.now = event.ts_event
            digest.update(hub.frame(hub.publish(event), "live").encode() + b"\n")
    return digest.hexdigest()


@settings(max_examples=15)
@given(seed=st.integers())
def test_a_seed_makes_the_same_stream_byte_for_byte(seed: int) -> None:
    assert wire(seed=seed) == wire(seed=seed)


def test_a_seed_makes_the_same_load_byte_for_byte() -> None:
    assert wire(seed=3, symbols=30) == wire(seed=3, symbols=30)


def test_another_seed_makes_another_stream() -> None:
    assert wire(seed=1) != wire(seed=2)


def test_without_a_seed_two_markets_differ() -> None:
    assert play(make(seed=None), seconds=1) != play(make(seed=None), seconds=1)


def test_instruments_are_those_of_the_table() -> None:
    market = make()
    assert [(each.symbol, each.exchange) for each in market.instruments] == [
        ("BTC/USD", "CRYPTO"),
        ("ETH/USD", "CRYPTO"),
        ("SOL/USD", "CRYPTO"),
        ("AAPL", "NASDAQ"),
        ("TSLA", "NASDAQ"),
    ]


def test_prices_start_where_the_table_says() -> None:
    events = make().due(START)
    prices = {event.symbol: event.price for event in events if isinstance(event, Price)}
    starts = [45_000, 2_500, 120, 175, 250]
    assert prices == {
        symbol: pytest.approx(start, rel=0.002)
        for symbol, start in zip(SYMBOLS, starts, strict=True)
    }


@pytest.mark.parametrize(
    ("interval_ms", "price_ms", "book_ms", "trade_ms"),
    [(10, 10, 50, 50), (20, 20, 50, 60), (50, 50, 100, 150), (1000, 1000, 2000, 3000)],
)
def test_streams_have_the_rates_of_the_table(
    interval_ms: int, price_ms: int, book_ms: int, trade_ms: int
) -> None:
    made = kinds(play(make(interval_ms), seconds=30))
    assert made == {
        Kind.PRICE: 30_000 // price_ms * 5,
        Kind.QUOTE: 30_000 // price_ms * 2,
        Kind.BOOK: 30_000 // book_ms * 2,
        Kind.TRADE: 30_000 // trade_ms,
        Kind.SYSTEM: 30,
    }


def test_every_symbol_has_the_streams_of_the_table() -> None:
    events = play(make(10), seconds=10)
    found: dict[Kind, set[str]] = {}
    for event in events:
        found.setdefault(event.kind, set()).add(event.topic.subject)
    assert found == {
        Kind.PRICE: set(SYMBOLS),
        Kind.QUOTE: {"BTC/USD", "ETH/USD"},
        Kind.BOOK: {"BTC/USD", "ETH/USD"},
        Kind.TRADE: {"BTC/USD", "ETH/USD", "SOL/USD"},
        Kind.SYSTEM: {""},
    }


def test_every_price_tick_carries_all_five_symbols() -> None:
    prices = [event for event in play(make(10), seconds=1) if isinstance(event, Price)]
    assert [event.symbol for event in prices] == SYMBOLS * 100


def test_events_carry_the_time_they_were_made_at() -> None:
    prices = [event for event in play(make(50), seconds=1) if isinstance(event, Price)]
    assert [event.ts_event for event in prices[::5]] == [START + n * 50 * MS_NS for n in range(20)]


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), interval_ms=st.sampled_from([10, 50, 333, 1000]))
def test_a_price_moves_by_at_most_a_fifth_of_a_percent(seed: int, interval_ms: int) -> None:
    last: dict[str, float] = {}
    moved = set[str]()
    for event in play(make(interval_ms, seed=seed, symbols=30), seconds=interval_ms / 10):
        if isinstance(event, Price):
            before = last.get(event.symbol, event.price)
            assert abs(event.price / before - 1) <= 0.002
            if event.price != before:
                moved.add(event.symbol)
            last[event.symbol] = event.price
    assert moved >= set(SYMBOLS)


@given(seed=st.integers(0, 10**6))
def test_books_are_ordered_and_the_best_bid_is_below_the_best_ask(seed: int) -> None:
    price: dict[str, float] = {}
    books = 0
    for event in play(make(10, seed=seed), seconds=1):
        match event:
            case Price():
                price[event.symbol] = event.price
            case Book():
                books += 1
                bids = [level for level, _ in event.bids]
                asks = [level for level, _ in event.asks]
                assert len(set(bids)) == len(set(asks)) == 5
                assert bids == sorted(bids, reverse=True)
                assert asks == sorted(asks)
                assert bids[0] < asks[0]
                assert price[event.symbol] in {bids[0], asks[0]}
            case _:
                pass
    assert books == 40


@given(seed=st.integers(0, 10**6))
def test_trades_are_at_the_touch_of_the_book_of_that_moment(seed: int) -> None:
    # at 50 ms books and trades coincide every 300 ms, with no step of the walk between them
    books: dict[tuple[str, int], Book] = {}
    compared = 0
    for event in play(make(50, seed=seed), seconds=6):
        if isinstance(event, Book):
            books[event.symbol, event.ts_event] = event
        if isinstance(event, Trade) and (event.symbol, event.ts_event) in books:
            quoted = books[event.symbol, event.ts_event]
            levels = quoted.asks if event.aggressor_side is Side.BUY else quoted.bids
            assert event.price == levels[0][0]
            compared += 1
    assert compared >= 1


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_a_trade_is_told_at_the_price_of_its_moment(seed: int) -> None:
    price: dict[str, float] = {}
    sides = Counter[Side]()
    for event in play(make(50, seed=seed), seconds=10):
        if isinstance(event, Price):
            price[event.symbol] = event.price
        if isinstance(event, Trade):
            sides[event.aggressor_side] += 1
            assert event.price == price[event.symbol]
    assert set(sides) == set(Side)


@pytest.mark.parametrize("interval_ms", [10, 13, 50, 1000])
def test_every_price_of_what_has_a_book_comes_with_the_quote_of_its_moment(
    interval_ms: int,
) -> None:
    events = play(make(interval_ms), seconds=interval_ms / 5)
    events += demanded(seconds=1)
    quotes: dict[str, Quote] = {}
    compared = Counter[Kind]()
    for event in events:
        match event:
            case Quote(symbol=symbol):
                quotes[symbol] = event
            case Price(symbol=symbol) if symbol in quotes:
                quoted = quotes[symbol]
                assert event.ts_event == quoted.ts_event
                assert event.price in {quoted.bid_price, quoted.ask_price}
                compared[Kind.PRICE] += 1
            case Book(symbol=symbol):
                quoted = quotes[symbol]
                assert event.bids[0] == (quoted.bid_price, quoted.bid_size)
                assert event.asks[0] == (quoted.ask_price, quoted.ask_size)
                compared[Kind.BOOK] += 1
            case _:
                pass
    assert min(compared[Kind.PRICE], compared[Kind.BOOK]) > 50


@given(seed=st.integers(0, 10**6))
def test_volumes_and_sizes_are_in_their_ranges(seed: int) -> None:
    volumes: list[float] = []
    trade_sizes: list[float] = []
    level_sizes: list[float] = []
    for event in play(make(10, seed=seed), seconds=2):
        match event:
            case Price():
                volumes.append(event.volume)
            case Trade():
                trade_sizes.append(event.size)
            case Book():
                level_sizes += [size for _, size in (*event.bids, *event.asks)]
            case _:
                pass
    assert 100 <= min(volumes) < 1_500 < 8_500 < max(volumes) <= 10_000
    assert 0.01 <= min(trade_sizes) < max(trade_sizes) <= 5
    assert 0.1 <= min(level_sizes) < 1.5 < 8.5 < max(level_sizes) <= 10


def test_system_events_are_made_only_with_a_seed() -> None:
    assert kinds(play(make(seed=0), seconds=5))[Kind.SYSTEM] == 5
    assert kinds(play(make(seed=None), seconds=5))[Kind.SYSTEM] == 0


def test_simulated_system_figures_count_the_events_made() -> None:
    events = play(make(10), seconds=4)
    figures = [event for event in events if isinstance(event, System)]
    in_a_second = 500 + 2 * 100 + 2 * 20 + 20 + 1
    assert figures[0].msg_rate == 0
    assert [event.msg_rate for event in figures[2:]] == [in_a_second] * 2
    assert all(0 <= event.cpu_pct <= 100 and event.mem_mb > 0 for event in figures)


def test_a_load_of_1000_symbols_makes_about_10_000_events_per_second() -> None:
    market = make(50, symbols=1000)
    assert len(set(market.instruments)) == 1000
    assert 9_900 <= len(play(market, seconds=1)) <= 10_200


def test_the_load_is_spread_and_reaches_every_symbol_ten_times_a_second() -> None:
    market = make(1000, symbols=105)
    generated = [event for event in play(market, seconds=2) if event.topic.exchange == "SIM"]
    assert set(Counter(event.topic.subject for event in generated).values()) == {20}
    assert set(Counter(event.ts_event for event in generated).values()) == {10}


@pytest.mark.parametrize("count", [1, 3, 5, 6, 12])
def test_the_number_of_symbols_can_be_chosen(count: int) -> None:
    market = make(10, symbols=count)
    assert len(market.instruments) == count
    assert [each.symbol for each in market.instruments][:5] == SYMBOLS[:count]
    priced = {event.topic.subject for event in play(market, seconds=1) if event.kind is Kind.PRICE}
    assert priced == {each.symbol for each in market.instruments}


def test_a_stall_of_10_s_makes_no_burst() -> None:
    market = make(10, symbols=1000)
    play(market, seconds=1)
    after = START + 11 * SECOND_NS
    assert kinds(market.due(after)) == {
        Kind.PRICE: 5 + 100,
        Kind.QUOTE: 2,
        Kind.BOOK: 2,
        Kind.TRADE: 1,
        Kind.SYSTEM: 1,
    }
    assert market.next_due == after + 10 * MS_NS


def test_a_short_stall_is_made_up_for() -> None:
    market = make(10)
    market.due(START)
    made = kinds(market.due(START + 150 * MS_NS))
    assert (made[Kind.PRICE], made[Kind.BOOK], made[Kind.TRADE]) == (75, 6, 3)


@pytest.mark.parametrize("back_s", [1, 3600])
def test_a_clock_that_is_set_back_does_not_halt_the_market(back_s: int) -> None:
    market = make(50)
    play(market, seconds=5)
    back = START + (5 - back_s) * SECOND_NS
    assert kinds(market.due(back))[Kind.PRICE] == 5
    made = kinds(play(market, seconds=1, start=back))
    assert made[Kind.PRICE] == pytest.approx(100, abs=5)


def test_due_makes_nothing_before_its_time() -> None:
    market = make(50)
    market.due(START)
    assert market.next_due > START
    assert market.due(START + 50 * MS_NS - 1) == []
    assert kinds(market.due(START + 50 * MS_NS)) == {Kind.PRICE: 5, Kind.QUOTE: 2}


def test_a_shorter_interval_applies_at_once() -> None:
    market = make(1000)
    market.due(START)
    now = START + 100 * MS_NS
    market.set_interval(50, now)
    made = [event for event in play(market, seconds=0.9, start=now) if isinstance(event, Price)]
    assert {event.ts_event for event in made} == {now + n * 50 * MS_NS for n in range(1, 18)}


def test_a_longer_interval_applies_after_what_was_due() -> None:
    market = make(50)
    market.due(START)
    market.set_interval(1000, START + 10 * MS_NS)
    made = [event for event in play(market, seconds=3) if isinstance(event, Price)]
    at = {(event.ts_event - START) // MS_NS for event in made}
    assert at == {50, 1050, 2050}


def test_setting_the_interval_again_and_again_holds_nothing_back() -> None:
    market = make(50)
    made = 0
    for ms in range(0, 1000, 5):
        now = START + ms * MS_NS
        market.set_interval(50, now)
        made += kinds(market.due(now))[Kind.PRICE]
    assert made == 100


def test_only_active_instruments_make_events() -> None:
    market = make(10)
    chosen = {"ETH/USD", "AAPL"}
    market.rest([each.key for each in market.instruments if each.symbol not in chosen])
    found = {(event.kind, event.topic.subject) for event in play(market, seconds=5)}
    assert found == {
        (Kind.PRICE, "ETH/USD"),
        (Kind.PRICE, "AAPL"),
        (Kind.QUOTE, "ETH/USD"),
        (Kind.BOOK, "ETH/USD"),
        (Kind.TRADE, "ETH/USD"),
        (Kind.SYSTEM, ""),
    }


def test_a_market_without_active_instruments_is_silent() -> None:
    market = make(10, seed=None, symbols=50)
    market.rest([each.key for each in market.instruments])
    assert play(market, seconds=2) == []


def test_a_walk_that_rested_goes_on_where_it_was() -> None:
    market = make(10)
    before = [event for event in play(market, seconds=5) if event.topic.subject == "AAPL"][-1]
    apple = ("NASDAQ", "AAPL")
    market.rest([apple, apple])
    assert all(
        event.topic.subject != "AAPL"
        for event in play(market, seconds=5, start=START + 5 * SECOND_NS)
    )
    market.activate([apple, apple], START)
    events = market.due(START + 10 * SECOND_NS)
    after = next(event for event in events if event.topic.subject == "AAPL")
    assert isinstance(before, Price)
    assert isinstance(after, Price)
    assert after.price == pytest.approx(before.price, rel=0.002)


def test_what_is_on_demand_rests_until_it_is_named_and_disturbs_nothing() -> None:
    market, same = make(10), make(10)
    resting = {each.symbol for each in market.on_demand}
    assert {"RELIANCE", "NIFTY_50", "NIFTY28DEC2425000CE"} <= resting
    assert not resting & {each.symbol for each in market.instruments}
    assert play(market, seconds=2) == play(same, seconds=2)
    later = START + 2 * SECOND_NS
    market.activate([each.key for each in (*market.on_demand, *market.instruments)], later)
    events = [event for event in play(market, seconds=2, start=later) if event.topic.subject]
    undisturbed = [event for event in play(same, seconds=2, start=later) if event.topic.subject]
    assert {event.topic.subject for event in events} == resting | set(SYMBOLS)
    assert [event for event in events if event.topic.subject not in resting] == undisturbed


def activate_on_demand(market: SimulatedMarket) -> list[Event]:
    """Let only what is on demand make events; give its first ones."""
    market.rest([each.key for each in market.instruments])
    return market.activate([each.key for each in market.on_demand], START)


def demanded(*, seconds: float, start: int = START, seed: int | None = 1) -> list[Event]:
    """Give the events of what is on demand alone."""
    market = make(10, seed=seed)
    activate_on_demand(market)
    return play(market, seconds=seconds, start=start)


def test_what_is_on_demand_is_repeatable_with_a_seed() -> None:
    assert demanded(seconds=2) == demanded(seconds=2) != demanded(seconds=2, seed=2)
    assert demanded(seconds=2, seed=None) != demanded(seconds=2, seed=None)


def test_each_kind_on_demand_has_its_streams() -> None:
    streams: dict[str, set[Kind]] = {}
    for event in demanded(seconds=10):
        streams.setdefault(event.topic.exchange, set()).add(event.kind)
    stock = {Kind.PRICE, Kind.QUOTE, Kind.BOOK, Kind.TRADE}
    assert streams.pop("") == {Kind.SYSTEM}
    assert streams == {
        "NSE": stock,
        "NSE_INDEX": {Kind.PRICE},
        "NFO": stock | {Kind.OPEN_INTEREST},
        "CRYPTO": stock,
    }


def test_a_book_on_demand_is_deep_and_in_whole_lots() -> None:
    books = {event.symbol: event for event in demanded(seconds=1) if isinstance(event, Book)}
    book = books["NIFTY28DEC2425000CE"]
    assert len(book.bids) == len(book.asks) == 30
    assert book.bids == tuple(sorted(book.bids, reverse=True))
    assert book.bids[0][0] < book.asks[0][0]
    assert all(size % 25 == 0 and size > 0 for _, size in (*book.bids, *book.asks))


def test_what_is_on_demand_has_its_volume_in_whole_lots_from_its_trades() -> None:
    events = [event for event in demanded(seconds=10) if event.topic.exchange != "CRYPTO"]
    assert {event.volume for event in events if isinstance(event, Price)} == {0}
    trades = [event for event in events if isinstance(event, Trade)]
    assert {event.symbol for event in trades} >= {"RELIANCE", "TCS", "INFY"}
    assert all(event.size == int(event.size) > 0 for event in trades)
    assert all(event.size % 25 == 0 for event in trades if event.exchange == "NFO")


def interests(events: list[Event]) -> list[OpenInterest]:
    return [event for event in events if isinstance(event, OpenInterest)]


def test_an_open_interest_is_in_whole_lots_and_changes_every_second() -> None:
    found = interests(demanded(seconds=60))
    assert [event.ts_event for event in found] == [START + n * SECOND_NS for n in range(60)]
    assert {event.symbol for event in found} == {"NIFTY28DEC2425000CE"}
    assert all(event.quantity % 25 == 0 for event in found)
    assert len({event.quantity for event in found}) > 50
    assert {event.previous_quantity for event in found} == {25 * 180_000}
    assert all(event.quantity == pytest.approx(25 * 180_000, rel=0.02) for event in found)


def test_a_new_day_makes_what_was_open_the_previous_open_interest() -> None:
    midnight = (START // DAY_NS + 1) * DAY_NS
    market = make(1000)
    activate_on_demand(market)
    market.due(START)
    (before,) = interests(market.due(midnight - 1))
    (after,) = interests(market.due(midnight + SECOND_NS))
    assert before.quantity != before.previous_quantity
    assert after.previous_quantity == before.quantity


def test_many_more_may_be_listed_and_move_only_while_they_are_asked_for() -> None:
    market, same = make(10, symbols=7), make(10, symbols=7)
    many = make(10, symbols=7, listed=1000)
    assert many.instruments == market.instruments
    assert len(many.on_demand) == len(market.on_demand) + 1000
    keys = [each.key for each in (*many.instruments, *many.on_demand)]
    assert len(set(keys)) == len(keys)
    assert play(many, seconds=1) == play(market, seconds=1)
    last = many.on_demand[-1]
    assert last.symbol == "SIM1001"
    quote, price, book = many.activate([last.key], START + SECOND_NS)
    assert isinstance(quote, Quote)
    assert isinstance(price, Price)
    assert isinstance(book, Book)
    later = play(many, seconds=1, start=START + SECOND_NS)
    assert {event.kind for event in later if event.topic.subject == last.symbol} == {
        Kind.PRICE,
        Kind.QUOTE,
        Kind.BOOK,
        Kind.TRADE,
    }
    many.rest([last.key])
    again = START + 2 * SECOND_NS
    rested = [event for event in play(many, seconds=1, start=again) if event.topic.subject]
    play(same, seconds=2)
    undisturbed = [event for event in play(same, seconds=1, start=again) if event.topic.subject]
    assert rested == undisturbed


def test_what_is_active_moves_in_the_order_of_the_list_however_it_was_asked_for() -> None:
    market = make(10)
    keys = [each.key for each in market.on_demand]
    market.rest([each.key for each in market.instruments])
    for key in reversed(keys):
        market.activate([key], START)
    market.rest(keys[1:2])
    market.activate(keys[1:2], START)
    prices = [event for event in market.due(START) if isinstance(event, Price)]
    assert [(event.exchange, event.symbol) for event in prices] == keys


def test_trades_leave_the_prices_to_the_walks() -> None:
    events = play(SimulatedMarket(interval_ms=10, now=START, seed=1), seconds=5)
    trades = [event for event in events if isinstance(event, Trade)]
    assert trades
    assert all(trade.priced for trade in trades)
