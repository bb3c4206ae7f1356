"""The stream of batches to one page, against a real hub and without a browser."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.leases import WHOLE_BOOK
from dashboard.core.model import PriceBasis
from dashboard.core.reports import FeedReport
from dashboard.feeds.simulator import Simulator
from dashboard.ui import opening as opening_module
from dashboard.ui import tab as tab_module
from dashboard.ui.curves import Curves
from dashboard.ui.tab import SLOTS, Tab
from dashboard.ui.watch import MAX_WATCHED
from tests.unit.accounts import pnl
from tests.unit.fake_feeds import Unwalked
from tests.unit.fakes import MS_NS, Clock, price, trade
from tests.unit.ui.fake_product import Batch, FakeProduct, FakeReplay, open_tab, pushes


def row_of(symbol: str) -> list[Any]:
    """Give the row of a watched instrument of the fake product."""
    return [symbol, "X", 2, 0.01, None, (), "feed", None]


async def test_first_push_describes_and_brings_the_latest_values() -> None:
    running = FakeProduct()
    running.price("A", 1.5)
    running.book("A", 1.4)
    running.book("B", 2.4)
    [(_, first)] = await pushes(open_tab(running))
    assert first["d"]["watched"] == [row_of("A"), row_of("B")]
    assert first["d"]["chosen"] == "X:A"
    assert first["d"]["frequency_ms"] == 10
    assert first["p"] == [0, 1.5]
    assert first["b"] == [0, [1.4, 1.0], [1.4, 1.0], 0]
    assert first["c"] == 0, "what is only caught up is not counted"
    assert "h" not in first


async def test_every_event_is_counted_and_every_watched_price_is_carried() -> None:
    running = FakeProduct()

    def burst() -> None:
        for number in range(30):
            running.price("A", number)
            running.price("B", 100 + number)

    sent = await pushes(open_tab(running, watched=("B",)), burst)
    assert sent[1][1]["c"] == 60
    assert sent[1][1]["p"] == [x for number in range(30) for x in (0, 100 + number)]


async def test_a_page_is_handed_what_it_shows_and_counts_the_rest() -> None:
    running = FakeProduct(symbols=("A", "B", "C"))

    def burst() -> None:
        for number in range(30):
            running.price("A", number)
            running.price("C", number)
            running.book("A", number)
            running.book("B", number)

    sent = await pushes(open_tab(running), burst)
    assert running.hub.totals()["page"].offered == 60
    assert sent[1][1]["c"] == 120
    assert "h" in sent[1][1]


async def test_what_nobody_shows_is_counted_and_measured_too() -> None:
    running = FakeProduct(symbols=("A", "B", "C"))
    sent = await pushes(open_tab(running), lambda: running.price("C", 1))
    assert running.hub.totals()["page"].offered == 0
    assert sent[1][1]["c"] == 1
    assert "h" in sent[1][1]


async def test_the_book_of_another_choice_is_handed_out_from_then_on() -> None:
    running = FakeProduct()
    tab = open_tab(running)
    sent = await pushes(
        tab,
        lambda: running.book("B", 1.0),
        lambda: (tab.choose("X:B"), running.book("B", 2.0), running.book("A", 3.0)),
    )
    assert "b" not in sent[1][1]
    assert sent[2][1]["b"] == [1, [2.0, 1.0], [2.0, 1.0], 0]
    assert running.hub.totals()["page"].offered == 1


async def test_feed_with_a_rate_of_its_own_is_conflated_and_still_counted() -> None:
    running = FakeProduct(conflates=True)
    sent = await pushes(open_tab(running), lambda: [running.price("A", n) for n in range(30)])
    assert sent[1][1]["c"] == 30
    assert sent[1][1]["p"] == [0, 29]


async def test_pushes_are_numbered_and_take_the_slots_in_turn() -> None:
    running = FakeProduct()
    steps = [lambda: running.price("A", 1)] * (SLOTS + 1)
    sent = await pushes(open_tab(running), *steps)
    assert [batch["n"] for _, batch in sent] == list(range(1, SLOTS + 3))
    assert {slot for slot, _ in sent} == {f"slot_{number}" for number in range(SLOTS)}
    assert len({batch["g"] for _, batch in sent}) == 1


async def test_every_stream_has_a_generation_of_its_own() -> None:
    running = FakeProduct()
    generations = [(await pushes(open_tab(running)))[0][1]["g"] for _ in range(9)]
    assert len(set(generations)) == 9
    assert all(0 <= each < 2**53 for each in generations), "whole numbers in JavaScript, too"


async def test_paused_stream_carries_no_market_and_resumes_with_the_latest() -> None:
    running = FakeProduct()
    tab = open_tab(running)
    sent = await pushes(
        tab,
        lambda: (tab.pause(paused=True), running.price("A", 2.0)),
        lambda: running.price("A", 3.0),
        lambda: tab.pause(paused=False),
    )
    while_paused = [batch for _, batch in sent[1:3]]
    assert all(batch["c"] == 0 and "p" not in batch for batch in while_paused)
    assert while_paused[0]["d"]["paused"] is True
    assert sent[3][1]["d"]["paused"] is False
    assert sent[3][1]["p"] == [0, 3.0]


async def test_hidden_page_is_pushed_seldom_and_gets_all_that_a_seen_one_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tab_module, "HIDDEN_S", 0.2)
    running = FakeProduct(clock=Clock(time.monotonic_ns()))
    tab = open_tab(running)

    def burst() -> None:
        for value in range(30):
            running.price("A", value)

    steps = [lambda: (tab.hide(hidden=True), burst()), burst]
    first, second, third = [batch for _, batch in await pushes(tab, *steps)]
    assert second["t"] - first["t"] >= 200, "ms"
    assert third["t"] - second["t"] >= 200
    for batch in (second, third):
        assert batch["c"] == 30
        assert batch["p"] == [x for value in range(30) for x in (0, value)]
        assert len(batch["u"]) == 30
        assert all(190 <= age < 10_000 for age in batch["u"]), "ms before the push"
    assert "d" not in second, "its interval is that of a page that is seen"


async def test_page_that_is_seen_again_has_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_module, "HIDDEN_S", 60.0)
    running = FakeProduct(conflates=True)
    tab = open_tab(running)

    def hide_for_a_moment() -> None:
        tab.hide(hidden=True)
        running.price("A", 1.0)
        asyncio.get_running_loop().call_later(0.05, lambda: tab.hide(hidden=False))

    sent = await pushes(tab, hide_for_a_moment, lambda: running.price("A", 2.0))
    assert sent[1][1]["p"] == [0, 1.0]
    assert "u" in sent[1][1]
    assert sent[2][1]["p"] == [0, 2.0]
    assert "u" not in sent[2][1]


async def test_hidden_page_is_told_of_each_interval_of_a_feed_that_is_conflated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tab_module, "HIDDEN_S", 0.2)
    running = FakeProduct(conflates=True, frequency_ms=20)
    tab = open_tab(running)

    def over_a_while() -> None:
        tab.hide(hidden=True)
        for number in range(6):
            running.clock.advance(ms=20)
            running.price("A", number)
            running.price("A", 100 + number)

    second = (await pushes(tab, over_a_while))[1][1]
    assert second["p"] == [x for number in range(6) for x in (0, 100 + number)]


async def test_pnl_is_told_by_its_points_and_whole_after_a_loss_or_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening_module, "REOPENING_S", 0.0)
    running = FakeProduct()
    running.hub.publish(pnl("Ann", 5))
    tab = Tab(running, watched=[], curves=Curves(running.accounts, minutes=1))
    steps = [
        lambda: running.price("A", 1),
        lambda: tab.missed(tab.generation),
        lambda: tab.pause(paused=True),
        lambda: tab.pause(paused=False),
    ]
    sent = [batch for _, batch in await pushes(tab, *steps)]
    whole = [len(batch["j"][5][0]) for batch in sent if batch.get("j", [None] * 5)[4]]
    assert whole == [61, 61, 61], "at the beginning, after the loss, after the pause"
    assert sent[0]["j"][4] == [["REDIS:Ann", "Ann"]]


async def test_chosen_book_is_sent_at_once_and_the_others_are_not() -> None:
    running = FakeProduct()
    running.book("B", 2.4)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.choose("X:B"), lambda: running.book("A", 1.0))
    assert "b" not in sent[0][1]
    assert sent[1][1]["b"][0] == 1
    assert sent[1][1]["d"]["chosen"] == "X:B"
    assert "b" not in sent[2][1]


@pytest.mark.parametrize("conflates", [False, True])
async def test_the_chosen_price_comes_with_the_book_of_its_moment_and_others_at_once(
    *, conflates: bool
) -> None:
    running = FakeProduct(conflates=conflates)
    running.book("A", 100.0, 101.0)
    running.price("A", 100.5)

    def both(value: float) -> None:
        running.price("A", value)
        running.price("B", value)

    sent = await pushes(
        open_tab(running),
        lambda: both(105.5),
        lambda: both(106.5),
        lambda: running.book("A", 106.0, 107.0),
        lambda: running.price("A", 107.0),
    )
    opening, *later = [batch for _, batch in sent]
    assert opening["p"] == [0, 100.5]
    assert [batch.get("p") for batch in later[:2]] == [[1, 105.5], [1, 106.5]]
    assert later[2]["p"] == ([0, 106.5] if conflates else [0, 105.5, 0, 106.5])
    assert later[2]["b"][1] == [106.0, 1.0]
    assert later[3]["p"] == [0, 107.0]


async def test_an_opening_has_no_price_that_its_book_contradicts() -> None:
    running = FakeProduct()
    running.book("A", 100.0, 101.0)
    running.price("A", 105.5)
    running.price("B", 2.0)
    opening, after = [
        batch
        for _, batch in await pushes(open_tab(running), lambda: running.book("A", 105.0, 106.0))
    ]
    assert (opening["p"], opening["b"][1]) == ([1, 2.0], [100.0, 1.0])
    assert (after["p"], after["b"][1]) == ([0, 105.5], [105.0, 1.0])


async def test_what_waits_for_a_book_is_not_lost_with_another_choice_or_watchlist() -> None:
    running = FakeProduct()
    running.book("A", 100.0, 101.0)
    running.book("B", 200.0, 201.0)
    running.price("B", 205.5)
    tab = open_tab(running)

    def choose() -> None:
        tab.choose("X:B")
        running.price("A", 106.5)

    sent = await pushes(
        tab,
        lambda: running.price("A", 105.5),
        choose,
        lambda: running.book("B", 205.0, 206.0),
        lambda: running.price("B", 300.0),
        lambda: tab.watch([running.instrument("A"), running.instrument("B")]),
    )
    waiting, chosen, with_book, held, watched = [batch for _, batch in sent[1:]]
    assert "p" not in waiting
    assert chosen["p"] == [0, 105.5, 0, 106.5]
    assert "b" not in chosen, "it is older than the price beside it"
    assert with_book["b"][1] == [205.0, 1.0]
    assert "p" not in held
    assert watched["p"][:2] == [1, 300.0]


async def test_mids_are_sent_until_there_is_a_trade() -> None:
    running = FakeProduct()

    def mid(symbol: str, value: float) -> None:
        event = msgspec.structs.replace(price(symbol, value, exchange="X"), basis=PriceBasis.MID)
        running.hub.publish(event)

    def traded(symbol: str, value: float) -> None:
        event = msgspec.structs.replace(trade(symbol, value), exchange="X")
        running.hub.publish(event)
        running.price(symbol, value)

    traded("A", 7.612)
    mid("A", 7.613)
    mid("B", 8.5)
    opening, more, first = [
        batch
        for _, batch in await pushes(
            open_tab(running),
            lambda: (mid("A", 7.7), mid("B", 8.6)),
            lambda: (mid("B", 8.7), traded("B", 8.65), mid("B", 8.8)),
        )
    ]
    assert (opening["p"], opening["x"]) == ([0, 7.612], [1, 8.5])
    assert ("p" in more, more["x"]) == (False, [1, 8.6])
    assert (first["p"], "x" in first) == ([1, 8.65], False)


async def test_change_of_the_watchlist_changes_numbers_and_description_together() -> None:
    running = FakeProduct()
    running.price("A", 1.0)
    running.price("B", 2.0)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.watch([running.instrument("B")]))
    assert sent[1][1]["v"] == sent[0][1]["v"] + 1
    assert sent[1][1]["d"]["watched"] == [row_of("B")]
    assert sent[1][1]["d"]["chosen"] == "X:B"
    assert sent[1][1]["p"] == [0, 2.0]


async def test_two_instruments_of_one_symbol_do_not_mix() -> None:
    running = FakeProduct()
    nse, bse = (msgspec.structs.replace(running.instrument("A"), exchange=e) for e in "XY")
    tab = Tab(running, watched=[nse, bse])

    def both() -> None:
        running.price("A", 1.0)
        running.hub.publish(price("A", 2.0, exchange="Y"))
        running.book("A", 1.0)

    def other() -> None:
        tab.choose("Y:A")
        running.book("A", 1.0)

    first, second, third = [batch for _, batch in await pushes(tab, both, other)]
    assert [row[:2] for row in first["d"]["watched"]] == [["A", "X"], ["A", "Y"]]
    assert second["p"] == [0, 1.0, 1, 2.0]
    assert second["b"][0] == 0
    assert third["d"]["chosen"] == "Y:A"
    assert "b" not in third, "the other one's book is not its own"


async def test_no_more_symbols_are_watched_than_a_page_can_show() -> None:
    running = FakeProduct(symbols=tuple(f"S{number}" for number in range(80)))
    [(_, first)] = await pushes(open_tab(running, watched=running.symbols))
    assert len(first["d"]["watched"]) == MAX_WATCHED
    assert first["d"]["known"] == 80


async def test_change_of_the_frequency_is_described() -> None:
    running = FakeProduct()
    sent = await pushes(open_tab(running), lambda: setattr(running, "frequency_ms", 50))
    assert sent[1][1]["d"]["frequency_ms"] == 50
    assert sent[1][1]["d"]["interval_ms"] == 50


async def test_page_clock_comes_back_once() -> None:
    running = FakeProduct()
    tab = open_tab(running)
    report = {"shift_ms": 0.0, "period_ms": 16.7, "seen_shifts": 0, "page_ms": 123.0}
    sent = await pushes(
        tab,
        lambda: (tab.report(**report), running.price("A", 1)),
        lambda: running.price("A", 2),
    )
    page_ms, came_ms = sent[1][1]["e"]
    assert page_ms == 123.0
    assert 0 <= sent[1][1]["t"] - came_ms < 10_000
    assert "e" not in sent[2][1]


async def test_hub_that_closes_ends_the_stream() -> None:
    running = FakeProduct()
    sent = await pushes(open_tab(running), running.hub.close)
    assert len(sent) == 1
    late = running.hub.subscribe(
        name="late", wants=lambda _: True, capacity=1, policy=OverflowPolicy.CONFLATE
    )
    assert late.closed


async def test_feed_that_is_a_replay_tells_where_it_is() -> None:
    [(_, first)] = await pushes(open_tab(FakeProduct(sources=(FakeReplay(),))))
    [feed] = first["f"]
    assert feed["name"] == "replay"
    assert feed["position_s"] == 12.35
    assert feed["duration_s"] == 90.0
    assert feed["speed"] == 1.0
    assert feed["paused"] is False
    assert feed["began_ms"] == 1_500_000_000_000
    assert feed["stretches"] == [[1000, 1_500_000_012_345, 1.0, 1]]


async def test_a_feed_tells_when_its_last_event_came_and_when_it_fell_silent() -> None:
    running = FakeProduct(sources=(Simulator(interval_ms=50, clock=Clock(), seed=1, symbols=5),))
    status = running.feeds.current()["simulator"].status
    running.hub.publish(
        FeedReport(
            feed="simulator",
            status=status,
            last_event_ns=1_234_567_890,
            silences=(5 * MS_NS, 70 * MS_NS),
            ts_event=0,
        )
    )
    [(_, first)] = await pushes(open_tab(running))
    [feed] = first["f"]
    assert (feed["last_event_ms"], feed["silences"]) == (1234, [5, 70])


async def test_a_replay_tells_what_is_wrong_with_its_recording() -> None:
    replay = FakeReplay()
    replay.problem = "a.wslog.gz, line 7: the recording breaks off"
    [(_, first)] = await pushes(open_tab(FakeProduct(sources=(replay,))))
    assert first["f"][0]["note"] == replay.problem


async def test_feed_that_is_no_replay_has_no_position() -> None:
    simulator = Simulator(interval_ms=50, clock=Clock(), seed=1, symbols=5)
    [(_, first)] = await pushes(open_tab(FakeProduct(sources=(simulator,))))
    assert "position_s" not in first["f"][0]


async def test_what_matches_is_told_when_the_page_asks_and_not_again() -> None:
    running = FakeProduct(underlying="U")
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.find("b", 0), lambda: running.price("A", 1))
    assert "i" not in sent[0][1]
    assert sent[1][1]["i"] == ["b", 0, 1, 2, [["B", "X", "U", 0.01, None, None]]]
    assert "i" not in sent[2][1]


async def test_a_question_is_answered_before_a_long_interval_is_over() -> None:
    running = FakeProduct(frequency_ms=1000)
    tab = open_tab(running)
    (_, first), (_, second) = await pushes(tab, lambda: tab.find("b", 0))
    assert second["i"][:2] == ["b", 0]
    assert second["t"] - first["t"] < 900, "ms"


async def test_no_page_walks_the_list_of_all_instruments() -> None:
    running = FakeProduct()
    running.directory.search("", 1)
    running.directory.listings = Unwalked(running.directory.listings)
    tab = open_tab(running)
    sent = await pushes(
        tab,
        lambda: running.price("A", 1.0),
        lambda: tab.watch([running.instrument("B")]),
        lambda: tab.find("", 1),
    )
    assert sent[2][1]["d"]["known"] == 2
    assert sent[3][1]["i"][4] == [["B", "X", None, 0.01, None, None]]


async def test_page_of_several_symbols_gets_nothing_in_detail() -> None:
    running = FakeProduct()
    sent = await pushes(open_tab(running), lambda: running.book("A", 1.0))
    assert not {"q", "o", "m", "w", "a"} & set().union(*(batch for _, batch in sent))


async def test_opening_is_made_anew_until_the_page_has_taken_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening_module, "FIRST_WAIT_S", 0.02)
    running = FakeProduct()
    running.price("A", 1.5)
    running.book("A", 1.4)
    tab = open_tab(running)
    steps = [lambda value=value: running.price("A", value) for value in (2.5, 3.5, 4.5)]
    sent = [batch for _, batch in await pushes(tab, *steps, taken_from=3)]
    assert [batch["n"] for batch in sent] == [1, 2, 3, 4]
    for opening, last in zip(sent[:3], (1.5, 2.5, 3.5), strict=True):
        assert opening["s"] == 1
        assert opening["d"]["watched"] == [row_of("A"), row_of("B")]
        assert opening["p"][-1] == last
        assert opening["b"] == [0, [1.4, 1.0], [1.4, 1.0], 0]
        assert opening["f"] == []
    assert sent[3]["p"] == [0, 4.5]
    assert not {"s", "b", "f"} & sent[3].keys()


async def test_answer_to_a_stream_before_does_not_begin_this_one() -> None:
    running = FakeProduct()
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.took("another"), taken_from=2)
    assert all("s" in batch for _, batch in sent)


async def test_page_that_missed_a_push_is_told_all_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "REOPENING_S", 0.0)
    running = FakeProduct()
    running.price("B", 2.0)
    running.book("A", 1.4)
    tab = open_tab(running)
    steps = [
        lambda: running.price("A", 1),
        lambda: tab.missed(tab.generation),
        lambda: tab.missed("another"),
    ]
    opening, plain, anew, _ = [batch for _, batch in await pushes(tab, *steps)]
    assert not {"d", "f", "b"} & plain.keys()
    assert {"d", "f", "b"} <= anew.keys()
    assert anew["p"] == [1, 2.0, 0, 1]
    assert "s" not in anew, "the market does not wait for an answer"
    assert opening["v"] == anew["v"]


async def test_page_that_misses_pushes_all_the_time_is_told_anew_once_a_second() -> None:
    running = FakeProduct()
    tab = open_tab(running)
    steps = [lambda: (running.price("A", 1), tab.missed(tab.generation))] * 30
    sent = [batch for _, batch in await pushes(tab, *steps)]
    assert sum("f" in batch for batch in sent) == 1, "the opening, less than a second ago"


async def test_push_that_fails_does_not_end_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "REOPENING_S", 0.0)
    running = FakeProduct()
    tab = open_tab(running)
    failures = [OverflowError("too large"), OverflowError("too large"), None]
    part = tab_module.market_part

    def fails_twice(*arguments: Any, **named: Any) -> Batch:
        if failures and (failure := failures.pop(0)) is not None:
            raise failure
        return part(*arguments, **named)

    def one_that_fails() -> None:
        running.price("A", 1.0)
        monkeypatch.setattr(tab_module, "market_part", fails_twice)

    _, anew = [batch for _, batch in await pushes(tab, one_that_fails)]
    assert anew["p"] == [0, 1.0]
    assert {"d", "f"} <= anew.keys()
    assert running.hub.failures.by_place == {"page": 2}


async def test_a_page_leases_what_it_watches_and_the_book_that_it_draws() -> None:
    running = FakeProduct(symbols=("A", "B", "C"))
    tab = open_tab(running)
    seen: list[dict[str, int]] = []

    def then(change: Callable[[], object]) -> Callable[[], None]:
        def step() -> None:
            seen.append(dict(running.leases.depths))
            change()
            running.price("A", 1)

        return step

    def wait() -> None: ...

    changes = (
        wait,
        lambda: tab.choose("X:B"),
        wait,
        lambda: tab.choose("X:C"),
        lambda: tab.watch([running.instrument("C")]),
        wait,
    )
    await pushes(tab, *map(then, changes))
    assert seen[1] == {"X:A": WHOLE_BOOK, "X:B": 0}
    assert seen[3] == {"X:A": 0, "X:B": WHOLE_BOOK}
    assert seen[-1] == {"X:C": WHOLE_BOOK}
    assert running.leases.depths == {}


async def test_a_page_is_told_what_is_refused_and_why() -> None:
    running = FakeProduct()
    running.leases.refusals["X", "B"] = "not in your plan"
    steps = [lambda: running.price("A", 1)] * 3
    sent = await pushes(open_tab(running), *steps)
    told = [batch["d"]["refused"] for _, batch in sent if "d" in batch]
    assert told[-1] == {"X:B": "not in your plan"}


@pytest.mark.parametrize("may_control", [True, False])
async def test_a_page_is_told_whether_it_may_change_what_all_share(*, may_control: bool) -> None:
    sent = await pushes(open_tab(FakeProduct(), may_control=may_control))
    assert sent[0][1]["d"]["may_control"] is may_control
