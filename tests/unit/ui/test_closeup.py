"""What a page about one instrument is told, through the stream that tells it."""

from collections.abc import Callable

import pytest

from dashboard.core.bars import Interval
from dashboard.core.model import Channel, Quote, Side, Theo, Trade
from dashboard.history.bars import Bars
from dashboard.hub.hub import Hub
from dashboard.ui import closeup
from dashboard.ui import opening as opening_module
from dashboard.ui.tab import Tab
from tests.unit.fakes import SECOND_NS, Clock
from tests.unit.ui.fake_product import Batch, FakeProduct, pushes


def open_page(running: FakeProduct, *symbols: str) -> Tab:
    watched = [running.instrument(symbol) for symbol in symbols]
    return Tab(running, watched=watched, chosen="", detailed=True)


def quote(running: FakeProduct, bid: float, *, symbol: str = "A") -> None:
    at = running.hub.published * 1_000_000_000
    quoted = Quote(
        symbol=symbol,
        exchange="X",
        bid_price=bid,
        bid_size=1,
        ask_price=None,
        ask_size=0,
        ts_event=at,
    )
    running.hub.publish(quoted)


def trade(running: FakeProduct, price: float, *, at_s: float = 0, symbol: str = "A") -> None:
    running.hub.publish(
        Trade(
            symbol=symbol,
            exchange="X",
            price=price,
            size=2,
            aggressor_side=Side.BUY,
            ts_event=round(at_s * SECOND_NS),
        )
    )


def bids(rows: list[list[float]]) -> list[float]:
    return [row[1] for row in rows]


async def batches(tab: Tab, *steps: Callable[[], object], taken_from: int = 1) -> list[Batch]:
    return [batch for _, batch in await pushes(tab, *steps, taken_from=taken_from)]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every push look for bars, however soon it follows the one before."""
    monkeypatch.setattr(closeup, "BARS_S", 0.0)


async def test_first_push_brings_the_last_minute_of_the_instrument() -> None:
    running = FakeProduct()
    for value in (1.0, 2.0):
        quote(running, value)
        quote(running, 9.0, symbol="B")
        trade(running, value)
    [first] = await batches(open_page(running, "A"))
    quotes, trades, *_ = first["w"]
    assert bids(quotes) == [1.0, 2.0]
    assert bids(trades) == [1.0, 2.0]
    assert first["c"] == 0
    assert not {"q", "r", "m"} & first.keys(), "the past is not new"


async def test_last_quote_and_trade_are_told_however_old_they_are() -> None:
    running = FakeProduct()
    quote(running, 1.5)
    trade(running, 2.5)
    for value in range(200):
        running.price("B", value)
    assert len(running.hub.rings[Channel.MARKET]) == 100
    [first] = await batches(open_page(running, "A"))
    assert [bids(rows) for rows in first["w"]] == [[1.5], [2.5], [], []]


async def test_new_quotes_come_once_each_after_the_past() -> None:
    running = FakeProduct()
    quote(running, 1.0)
    tab = open_page(running, "A")
    quote(running, 2.0)
    sent = await batches(tab, lambda: (quote(running, 3.0), quote(running, 4.0)))
    assert bids(sent[0]["w"][0]) == [1.0, 2.0]
    assert "q" not in sent[0]
    assert bids(sent[1]["q"]) == [3.0, 4.0]
    assert "w" not in sent[1]


async def test_resumed_page_gets_what_it_missed_without_a_double() -> None:
    running = FakeProduct()
    tab = open_page(running, "A")
    sent = await batches(
        tab,
        lambda: (tab.pause(paused=True), quote(running, 1.0), trade(running, 1.0)),
        lambda: (quote(running, 2.0), tab.pause(paused=False), trade(running, 2.0)),
        lambda: quote(running, 3.0),
    )
    assert not {"w", "q", "r", "m"} & sent[1].keys()
    assert [bids(rows) for rows in sent[2]["w"]] == [[1.0, 2.0], [1.0, 2.0], [], []]
    assert not {"q", "r"} & sent[2].keys()
    assert bids(sent[3]["q"]) == [3.0]


@pytest.mark.usefixtures("hurried")
async def test_all_of_the_instrument_waits_for_the_book_of_its_moment() -> None:
    running = FakeProduct()
    running.book("A", 100.0, 101.0)
    trade(running, 100.0, at_s=1)
    tab = open_page(running, "A")
    trade(running, 105.0, at_s=2)
    opening, waiting, whole = await batches(
        tab,
        lambda: (quote(running, 104.0), trade(running, 104.0, at_s=3)),
        lambda: running.book("A", 104.0, 105.0),
    )
    assert bids(opening["w"][1]) == [100.0], "and what waits comes once"
    assert not {"q", "r"} & {*opening, *waiting}
    assert [row[4] for row in opening["a"][1]] == [100.0]
    assert "a" not in waiting
    assert waiting["m"] == [1, 0, 1, 0], "though it is counted"
    assert bids(whole["q"]) == [104.0]
    assert bids(whole["r"]) == [105.0, 104.0]
    assert [row[4] for row in whole["a"][1]] == [100.0, 105.0, 104.0]


@pytest.mark.usefixtures("hurried")
async def test_chart_that_has_no_bars_gets_those_before_what_waits() -> None:
    running = FakeProduct()
    running.book("A", 100.0, 101.0)
    for at_s in (1, 2, 3):
        trade(running, 100.0 + at_s / 10, at_s=at_s)
    tab = open_page(running, "A")
    trade(running, 105.0, at_s=3.5)
    opening, waiting, whole = await batches(
        tab, lambda: trade(running, 105.0, at_s=4), lambda: running.book("A", 105.0, 106.0)
    )
    assert [row[0] for row in opening["a"][1]] == [1, 2], "the third is not over"
    assert "a" not in waiting
    assert [row[0] for row in whole["a"][1]] == [1, 2, 3, 4]


async def test_events_of_the_instrument_are_counted_before_they_are_conflated() -> None:
    running = FakeProduct(conflates=True)

    def burst() -> None:
        for value in range(5):
            quote(running, value)
            running.book("A", value)
            running.price("B", value)
        trade(running, 1.0)

    sent = await batches(open_page(running, "A"), burst)
    assert sent[1]["m"] == [5, 5, 1, 0]
    assert bids(sent[1]["q"]) == [4]


async def test_theoretical_prices_are_told_with_the_last_minute_and_as_they_change() -> None:
    running = FakeProduct(underlying="U")

    def compute(price: float, *, at_s: int, underlying: str = "U") -> None:
        theo = Theo(underlying=underlying, exchange="X", price=price, ts_event=at_s * SECOND_NS)
        running.hub.publish(theo)

    compute(1.5, at_s=1)
    compute(2.5, at_s=2, underlying="V")
    compute(1.75, at_s=3)
    sent = await batches(
        open_page(running, "A"), lambda: running.price("A", 1), lambda: compute(3.5, at_s=4)
    )
    assert sent[0]["w"][2] == [[1000, 1.5], [3000, 1.75]]
    assert [batch.get("o") for batch in sent] == [None, None, [[4000, 3.5]]]


async def test_last_prices_are_told_with_the_last_minute_and_as_they_change() -> None:
    running = FakeProduct()
    running.price("A", 1.5)
    running.price("B", 9)
    sent = await batches(open_page(running, "A"), lambda: running.price("A", 2.5))
    assert bids(sent[0]["w"][3]) == [1.5]
    assert "z" not in sent[0]
    assert sent[1]["z"] == [[0, 2.5]]


@pytest.mark.usefixtures("hurried")
async def test_bars_come_whole_and_then_as_they_change() -> None:
    running = FakeProduct()
    trade(running, 5.0, at_s=1)
    trade(running, 6.0, at_s=2)
    sent = await batches(
        open_page(running, "A"),
        lambda: running.price("A", 1),
        lambda: (trade(running, 7.0, at_s=2), trade(running, 8.0, at_s=3)),
    )
    assert sent[0]["a"] == ["1s", [[1, 5, 5, 5, 5, 2], [2, 6, 6, 6, 6, 2]], 1]
    assert "a" not in sent[1]
    assert sent[2]["a"] == ["1s", [[2, 6, 7, 6, 7, 4], [3, 8, 8, 8, 8, 2]], 0]


@pytest.mark.usefixtures("hurried")
async def test_a_bar_that_a_late_trade_changes_is_told_again_though_it_is_not_the_newest() -> None:
    running = FakeProduct()
    for at_s in (1, 2, 6):
        trade(running, 5.0, at_s=at_s)
    sent = await batches(
        open_page(running, "A"),
        lambda: trade(running, 4.0, at_s=1.5),
        lambda: (trade(running, 9.0, at_s=4), trade(running, 6.0, at_s=2.5)),
    )
    assert sent[1]["a"] == ["1s", [[1, 5, 5, 4, 4, 4]], 0]
    assert sent[2]["a"] == ["1s", [[2, 5, 6, 5, 6, 4], [4, 9, 9, 9, 9, 2]], 0]


@pytest.mark.usefixtures("hurried")
async def test_candles_go_on_when_the_clock_was_set_back() -> None:
    running = FakeProduct()
    for at_s in (7200, 7201):
        running.clock.now = at_s * SECOND_NS
        trade(running, 5.0, at_s=at_s)

    def trade_at(at_s: int) -> None:
        running.clock.now = at_s * SECOND_NS
        trade(running, 6.0, at_s=at_s)

    sent = await batches(
        open_page(running, "A"),
        lambda: trade_at(10),
        lambda: trade_at(11),
        lambda: trade_at(7203),
    )
    told = [[row[0] for row in batch["a"][1]] for batch in sent]
    assert told == [[7200, 7201], [10], [11], [7200, 7201, 7203]]
    assert [batch["a"][2] for batch in sent] == [1, 1, 0, 0]


async def test_the_last_minute_is_told_anew_when_the_wall_clock_was_set() -> None:
    running = FakeProduct()
    monotonic = Clock(0)
    running.hub = Hub(epoch="e", clock=running.clock, monotonic=monotonic, resume_events=100)
    running.bars = Bars(running.hub)
    trade(running, 5.0, at_s=1_700_000_000)

    def set_back() -> None:
        running.clock.advance(seconds=-7200)
        monotonic.advance(seconds=1)
        trade(running, 6.0, at_s=1_700_000_000 - 7199)

    sent = await batches(open_page(running, "A"), set_back, lambda: running.price("A", 1))
    times = [[(row[1], row[4] / 1000 - 1_700_000_000) for row in each["w"][1]] for each in sent[:2]]
    assert times == [[(5.0, 0.0)], [(5.0, -7201.0), (6.0, -7199.0)]]
    assert [row[0] - 1_700_000_000 for row in sent[1]["a"][1]] == [-7199]
    assert "w" not in sent[2]


async def test_no_bars_are_told_as_such() -> None:
    [first] = await batches(open_page(FakeProduct(), "A"))
    assert first["a"] == ["1s", [], 1]


async def test_bars_of_another_length_begin_anew() -> None:
    running = FakeProduct()
    for at_s in (1, 59, 61):
        trade(running, 5.0, at_s=at_s)
    tab = open_page(running, "A")
    assert tab.closeup is not None
    sent = await batches(tab, lambda: tab.closeup.show_bars(Interval.M1))  # pyright: ignore[reportOptionalMemberAccess] - as above
    told = next(batch["a"] for batch in sent[1:] if "a" in batch)
    assert (told[0], [row[0] for row in told[1]], told[2]) == ("1m", [0, 60], 1)


async def test_unknown_instrument_has_no_closeup_and_the_stream_goes_on() -> None:
    running = FakeProduct()
    tab = open_page(running)
    sent = await batches(tab, lambda: quote(running, 1.0))
    assert tab.closeup is None
    assert sent[0]["d"]["watched"] == []
    assert sent[1]["c"] == 1


async def test_page_that_lost_its_first_pushes_gets_the_last_minute_and_all_bars() -> None:
    running = FakeProduct()
    for number in range(3):
        quote(running, 1.0 + number)
        trade(running, 2.0 + number, at_s=number)
    tab = open_page(running, "A")
    lost, taken, after = await batches(
        tab, lambda: trade(running, 9.0, at_s=3), lambda: trade(running, 9.5, at_s=3), taken_from=2
    )
    for opening, traded in ((lost, [2.0, 3.0, 4.0]), (taken, [2.0, 3.0, 4.0, 9.0])):
        assert bids(opening["w"][1]) == traded
        assert len(opening["a"][1]) == len(traded)
        assert opening["a"][2] == 1
    assert "w" not in after


async def test_page_that_missed_a_push_gets_the_last_minute_and_all_bars_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening_module, "REOPENING_S", 0.0)
    running = FakeProduct()
    trade(running, 2.0)
    tab = open_page(running, "A")
    _, lost, anew = await batches(
        tab,
        lambda: (trade(running, 3.0, at_s=1), quote(running, 1.0)),
        lambda: tab.missed(tab.generation),
    )
    assert "w" not in lost
    assert [bids(rows) for rows in anew["w"]] == [[1.0], [2.0, 3.0], [], []]
    assert (len(anew["a"][1]), anew["a"][2]) == (2, 1)
