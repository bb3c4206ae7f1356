"""The stream of batches to one page, against a real hub and without a browser."""

from typing import Any

from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Book
from dashboard.feeds.simulator import Simulator
from dashboard.ui.tab import MAX_WATCHED, SLOTS
from tests.unit.fakes import Clock
from tests.unit.ui.fake_services import FakeReplay, FakeServices, open_tab, pushes


async def test_first_push_describes_and_brings_the_latest_values() -> None:
    running = FakeServices()
    running.price("A", 1.5)
    running.book("A", 1.4)
    running.book("B", 2.4)
    [(_, first)] = await pushes(open_tab(running))
    assert first["d"]["symbols"] == [["A", "X", 2, 0.01], ["B", "X", 2, 0.01]]
    assert first["d"]["chosen"] == "A"
    assert first["d"]["frequency_ms"] == 10
    assert first["p"] == [0, 1.5]
    assert first["b"] == [0, [1.4, 1.0], [1.4, 1.0]]
    assert first["c"] == 0, "what is only caught up is not counted"
    assert "h" not in first


async def test_every_event_is_counted_and_every_watched_price_is_carried() -> None:
    running = FakeServices()

    def burst() -> None:
        for number in range(30):
            running.price("A", number)
            running.price("B", 100 + number)

    sent = await pushes(open_tab(running, watched=("B",)), burst)
    assert sent[1][1]["c"] == 60
    assert sent[1][1]["p"] == [x for number in range(30) for x in (0, 100 + number)]


async def test_feed_with_a_rate_of_its_own_is_conflated_and_still_counted() -> None:
    running = FakeServices(conflates=True)
    sent = await pushes(open_tab(running), lambda: [running.price("A", n) for n in range(30)])
    assert sent[1][1]["c"] == 30
    assert sent[1][1]["p"] == [0, 29]


async def test_pushes_are_numbered_and_take_the_slots_in_turn() -> None:
    running = FakeServices()
    steps = [lambda: running.price("A", 1)] * (SLOTS + 1)
    sent = await pushes(open_tab(running), *steps)
    assert [batch["n"] for _, batch in sent] == list(range(1, SLOTS + 3))
    assert {slot for slot, _ in sent} == {f"slot_{number}" for number in range(SLOTS)}
    assert len({batch["g"] for _, batch in sent}) == 1


async def test_paused_stream_carries_no_market_and_resumes_with_the_latest() -> None:
    running = FakeServices()
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


async def test_chosen_book_is_sent_at_once_and_the_others_are_not() -> None:
    running = FakeServices()
    running.book("B", 2.4)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.choose("B"), lambda: running.book("A", 1.0))
    assert "b" not in sent[0][1]
    assert sent[1][1]["b"][0] == 1
    assert sent[1][1]["d"]["chosen"] == "B"
    assert "b" not in sent[2][1]


async def test_change_of_the_watchlist_changes_numbers_and_description_together() -> None:
    running = FakeServices()
    running.price("A", 1.0)
    running.price("B", 2.0)
    tab = open_tab(running)
    sent = await pushes(tab, lambda: tab.watch([running.instrument("B")]))
    assert sent[1][1]["v"] == sent[0][1]["v"] + 1
    assert sent[1][1]["d"]["symbols"] == [["B", "X", 2, 0.01]]
    assert sent[1][1]["d"]["chosen"] == "B"
    assert sent[1][1]["p"] == [0, 2.0]


async def test_no_more_symbols_are_watched_than_a_page_can_show() -> None:
    running = FakeServices(symbols=tuple(f"S{number}" for number in range(80)))
    [(_, first)] = await pushes(open_tab(running, watched=running.symbols))
    assert len(first["d"]["symbols"]) == MAX_WATCHED
    assert first["d"]["known"] == 80


async def test_change_of_the_frequency_is_described() -> None:
    running = FakeServices()
    sent = await pushes(open_tab(running), lambda: setattr(running, "frequency_ms", 50))
    assert sent[1][1]["d"]["frequency_ms"] == 50
    assert sent[1][1]["d"]["interval_ms"] == 50


async def test_page_clock_comes_back_once() -> None:
    running = FakeServices()
    tab = open_tab(running)
    report = {"shift_ms": 0.0, "period_ms": 16.7, "seen_shifts": 0, "page_ms": 123.0}
    sent = await pushes(
        tab,
        lambda: (tab.report(**report), running.price("A", 1)),
        lambda: running.price("A", 2),
    )
    assert sent[1][1]["e"][0] == 123.0
    assert "e" not in sent[2][1]


async def test_hub_that_closes_ends_the_stream() -> None:
    running = FakeServices()
    sent = await pushes(open_tab(running), running.hub.close)
    assert len(sent) == 1
    late = running.hub.subscribe(
        name="late", wants=lambda _: True, capacity=1, policy=OverflowPolicy.CONFLATE
    )
    assert late.closed


async def test_feed_that_is_a_replay_tells_where_it_is() -> None:
    [(_, first)] = await pushes(open_tab(FakeServices(feeds=(FakeReplay(),))))
    [feed] = first["f"]
    assert feed["name"] == "replay"
    assert feed["position_s"] == 12.35
    assert feed["duration_s"] == 90.0
    assert feed["speed"] == 1.0
    assert feed["paused"] is False


async def test_feed_that_is_no_replay_has_no_position() -> None:
    simulator = Simulator(interval_ms=50, clock=Clock(), seed=1, symbols=5)
    [(_, first)] = await pushes(open_tab(FakeServices(feeds=(simulator,))))
    assert "position_s" not in first["f"][0]


async def test_instruments_are_listed_when_the_page_asks_and_not_again() -> None:
    running = FakeServices(underlying="U")
    tab = open_tab(running)
    sent = await pushes(tab, tab.list_instruments, lambda: running.price("A", 1))
    assert "i" not in sent[0][1]
    assert len(sent[1][1]["i"]) == 2
    assert sent[1][1]["i"][0] == ["A", "X", "U", 0.01, None, None]
    assert "i" not in sent[2][1]


async def test_page_of_several_symbols_gets_nothing_in_detail() -> None:
    running = FakeServices()
    sent = await pushes(open_tab(running), lambda: running.book("A", 1.0))
    assert not {"q", "o", "m", "w", "a"} & set().union(*(batch for _, batch in sent))


async def test_a_push_that_fails_is_counted_and_the_next_ones_go_on() -> None:
    running = FakeServices()

    def spoil() -> None:
        levels: Any = None
        running.hub.publish(Book(symbol="A", exchange="X", bids=levels, asks=levels, ts_event=0))

    sent = await pushes(open_tab(running), spoil, lambda: running.price("A", 2.0))
    assert [batch["p"] for _, batch in sent if "p" in batch] == [[0, 2.0]]
    assert running.hub.failures.by_place == {"page": 1}
