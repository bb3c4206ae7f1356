import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.accounts import PnlSeries
from dashboard.history.accounts import BUFFER_EVENTS, Accounts
from dashboard.hub.hub import Hub
from tests.unit.accounts import pnl, positions
from tests.unit.fakes import SECOND_NS, Clock, price

HALF_HOUR_S = 30 * 60


def hub_and_accounts(max_clients: int = 500) -> tuple[Clock, Hub, Accounts]:
    clock = Clock()
    hub = Hub(epoch="e", clock=clock, resume_events=10)
    return clock, hub, Accounts(hub, max_clients=max_clients)


def test_a_second_keeps_its_last_sample() -> None:
    series = PnlSeries()
    for ms, value in ((0, 1.0), (400, 2.0), (999, 3.0), (1000, 4.0), (2500, 5.0)):
        series.add(ms * 1_000_000, value)
    assert list(series.values) == [3.0, 4.0, 5.0]
    assert [ts // SECOND_NS for ts in series.times] == [0, 1, 2]


def test_a_value_holds_until_the_next() -> None:
    series = PnlSeries()
    series.add(5 * SECOND_NS, 1.0)
    series.add(9 * SECOND_NS, 2.0)
    held = series.at(second * SECOND_NS for second in (4, 5, 8, 9, 100))
    assert held == [None, 1.0, 1.0, 2.0, 2.0]


def test_a_wall_clock_that_is_set_neither_stops_nor_overwrites_samples() -> None:
    series = PnlSeries()
    wall_s = [100, 7300, 102, -7000, -6999]
    for second, stamp_s in enumerate(wall_s):
        for value in (second, second + 0.5):
            series.add(stamp_s * SECOND_NS, value, monotonic_ns=second * SECOND_NS)
    assert list(series.values) == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert [moment // SECOND_NS for moment in series.moments] == [0, 1, 2, 3, 4]
    assert [ts // SECOND_NS for ts in series.times] == wall_s
    assert series.at([2 * SECOND_NS, 9 * SECOND_NS]) == [2.5, 4.5]


def test_a_client_goes_on_when_the_wall_clock_is_set_and_the_silent_one_is_forgotten() -> None:
    wall, monotonic = Clock(), Clock(0)
    hub = Hub(epoch="e", clock=wall, monotonic=monotonic, resume_events=10)
    accounts = Accounts(hub, max_clients=2)
    for client, step_s in (("Ann", 0), ("Bob", -7200), ("Ann", -7200), ("Cid", 0)):
        wall.advance(seconds=step_s)
        monotonic.advance(seconds=1)
        hub.publish(pnl(client))
    ann, cid = accounts.current()
    assert (ann.client, cid.client) == ("Ann", "Cid")
    assert len(ann.series.values) == 2


@given(st.lists(st.integers(0, 300_000), max_size=200))
def test_memory_is_bounded_and_the_last_half_hour_is_whole(steps_ms: list[int]) -> None:
    series = PnlSeries()
    now, added = 0, {}
    for number, step in enumerate(steps_ms):
        now += step * 1_000_000
        series.add(now, number)
        added[now // SECOND_NS] = number
    assert len(series.times) == len(series.values)
    assert len(series.times) <= HALF_HOUR_S + 61
    recent = [value for second, value in added.items() if second > now // SECOND_NS - HALF_HOUR_S]
    assert list(series.values)[len(series.values) - len(recent) :] == recent


def test_what_is_known_of_a_client() -> None:
    clock, hub, accounts = hub_and_accounts()
    hub.publish(pnl("Ann", 1.5))
    hub.publish(positions("Ann", AAPL=5))
    hub.publish(price())
    clock.advance(seconds=1)
    hub.publish(pnl("Ann", 2.5))
    hub.publish(positions("Bob", AAPL=-5))
    ann, bob = accounts.current()
    assert (ann.client, ann.exchange, ann.updates) == ("Ann", "REDIS", 3)
    assert list(ann.series.values) == [1.5, 2.5]
    assert ann.pnl is not None
    assert ann.pnl.pnl == 2.5
    assert ann.positions_ns == clock() - SECOND_NS
    assert ann.updated_ns == clock()
    assert bob.pnl is None
    assert accounts.positions() == [positions("Ann", AAPL=5), positions("Bob", AAPL=-5)]
    assert accounts.updates == 4


def test_one_name_at_two_exchanges_is_two_clients() -> None:
    _, hub, accounts = hub_and_accounts()
    hub.publish(pnl("Ann", 1, exchange="A"))
    hub.publish(pnl("Ann", 2, exchange="B"))
    assert [(each.exchange, list(each.series.values)) for each in accounts.current()] == [
        ("A", [1.0]),
        ("B", [2.0]),
    ]


def test_of_too_many_clients_the_silent_one_is_forgotten() -> None:
    clock, hub, accounts = hub_and_accounts(max_clients=2)
    for client in ("Ann", "Bob", "Ann", "Cid"):
        clock.advance(ms=1)
        hub.publish(pnl(client))
    assert [each.client for each in accounts.current()] == ["Ann", "Cid"]
    assert accounts.forgotten == 1


def test_more_than_the_buffer_holds_leaves_the_latest_and_the_count() -> None:
    _, hub, accounts = hub_and_accounts()
    for number in range(BUFFER_EVENTS + 10):
        hub.publish(pnl(f"Client {number % 3}", number))
    assert len(accounts.current()) == 3
    assert max(each.series.values[-1] for each in accounts.current()) == BUFFER_EVENTS + 9
    assert accounts.updates == BUFFER_EVENTS + 10


async def test_it_drains_by_itself_until_the_hub_closes() -> None:
    _, hub, accounts = hub_and_accounts()
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            hub.close()
        else:
            hub.publish(pnl("Bob"))

    hub.publish(pnl("Ann"))
    await asyncio.wait_for(accounts.run(sleep=nap), 5)
    (totals,) = hub.totals().values()
    assert (totals.open, totals.waiting, totals.offered) == (0, 0, 2)
    assert naps == [1.0, 1.0]


def test_an_update_that_fails_is_counted_and_the_others_are_kept() -> None:
    _, hub, accounts = hub_and_accounts()
    hub.publish(pnl("Ann", "none"))  # type: ignore[arg-type]
    hub.publish(pnl("Bob", 2.0))
    assert list(accounts.current()[-1].series.values) == [2.0]
    assert hub.failures.by_place == {"accounts": 1}
