"""What holds whatever sources say of their time, and however the wall clock is set.

A world of the product's own parts runs through random turns: its source gives honest
times and impossible ones, times from ahead, late ones and out of order; the wall
clock is set forward and back, over midnight too, while the monotonic one runs on.

- **The gate**: every event comes through, once and in order. Its time lies within
  1970 and 2200 and at most 5 s ahead of the wall clock; it is the source's where that
  lies within these bounds and the time received where not, which is counted.
- **Bars** stand in the order of their time, one an interval. Each has the price of its
  earliest trade first and of its latest last, their highest and lowest and the sum of
  their sizes. None is lost, and none of the newest is ahead of the clock.
- **Day statistics** are those of the trades of today, which is the newest day that is
  not ahead of the clock; the close is the last price of the day before.
- **PnL** has a sample for each second in which any came, its last, in the order in
  which they came.
- **Resume** gives what was published after an id in the last 60 s, all of it and once.
- **Exports** can be written and read again, with those times.
- **Replay** plays each message when it is due, its position never goes back, and its
  times are the wall clock's, to half a second.
- **Failures** of an address are limited alike, and an address that did not fail is
  never refused.
"""

import asyncio
from array import array
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import cast

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.api.tables import TABLES, TABLES_OF_INSTRUMENT, Row, Table, Type
from dashboard.api.writers import FILES
from dashboard.core.attempts import FailureLimit
from dashboard.core.bars import KEPT, Bar
from dashboard.core.clocks import CLOCK_SET_NS, EARLIEST_NS, LATEST_NS, MAX_AHEAD_NS
from dashboard.core.errors import ResumeError
from dashboard.core.instruments import Instrument
from dashboard.core.market_quote import DAY_NS
from dashboard.core.model import Channel, Event, Pnl, Price, Published, Side, Topic, Trade
from dashboard.feeds.base import Publish
from dashboard.feeds.recording import Recording
from dashboard.feeds.replay import Replay
from dashboard.feeds.supervisor import SupervisedFeed
from dashboard.history.accounts import Accounts
from dashboard.history.bars import Bars
from dashboard.history.quotes import Quotes
from dashboard.hub.hub import Hub
from dashboard.hub.ring import FORGET_NS, WINDOW_NS
from tests.unit.accounts import Running
from tests.unit.fake_feeds import FakeFeed
from tests.unit.fakes import SECOND_NS, Clock

BTC = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)
HOUR_NS = 3600 * SECOND_NS
MIDNIGHT = 19_700 * DAY_NS
CLIENT = "Ann"


class Source(FakeFeed):
    """A feed whose source is asked for its next event by the test."""

    def __init__(self) -> None:
        super().__init__("source", [BTC])
        self.publish: Publish | None = None

    async def run(self, publish: Publish) -> None:
        self.publish = publish


class World:
    """The product from a feed to what is remembered, with clocks that are set by hand."""

    def __init__(self) -> None:
        self.wall = Clock(MIDNIGHT - HOUR_NS)
        self.monotonic = Clock(12_345 * SECOND_NS + 678)
        self.hub = Hub(epoch="e", clock=self.wall, monotonic=self.monotonic, resume_events=10_000)
        self.bars = Bars(self.hub)
        self.quotes = Quotes(self.hub)
        self.accounts = Accounts(self.hub)
        self.listings = [BTC]
        self.said: list[Event] = []
        self.published: list[Published] = []
        self.gate = SupervisedFeed(
            source := Source(),
            publish=lambda event: self.published.append(self.hub.publish(event)),
            clock=self.wall,
            monotonic=self.monotonic,
            stale_after_ms=2000,
        )
        asyncio.run(self.gate.run())
        assert source.publish is not None
        self._publish = source.publish

    def trade(self, ts_event: int, price: float, size: float) -> None:
        self._say(
            Trade(
                symbol=BTC.symbol,
                exchange=BTC.exchange,
                price=price,
                size=size,
                aggressor_side=Side.BUY,
                ts_event=ts_event,
            )
        )

    def pnl(self, ts_event: int, value: float) -> None:
        self._say(Pnl(client=CLIENT, exchange=BTC.exchange, pnl=value, ts_event=ts_event))

    def pass_time(self, ns: int) -> None:
        self.wall.now += ns
        self.monotonic.now += ns

    def set_wall_clock(self, by_ns: int) -> None:
        self.wall.now += by_ns

    def trades(self) -> list[tuple[Trade, int]]:
        """Give what was traded, and when it came by the wall clock."""
        return [
            (each.event, each.ts_received)
            for each in self.published
            if isinstance(each.event, Trade)
        ]

    def _say(self, event: Event) -> None:
        self.said.append(event)
        self._publish(event)


Turn = Callable[[World], None]

offsets = st.one_of(
    st.just(0),
    st.integers(-3 * SECOND_NS, 5 * SECOND_NS),  # out of order, or a little ahead
    st.integers(-30 * HOUR_NS, 0),  # late, of yesterday too
    st.integers(5 * SECOND_NS + 1, 100 * HOUR_NS),  # far ahead
)
impossible = st.sampled_from(
    [0, -1, 1, -62_135_596_800 * SECOND_NS, 253_402_300_799 * SECOND_NS, LATEST_NS, LATEST_NS + 1]
)
prices = st.integers(1, 1000)
sizes = st.integers(1, 100)


def _trading(offset: int, price: float, size: float) -> Turn:
    return lambda world: world.trade(world.wall.now + offset, price, size)


def _trading_at(ts_event: int, price: float, size: float) -> Turn:
    return lambda world: world.trade(ts_event, price, size)


def _earning(offset: int, value: float) -> Turn:
    return lambda world: world.pnl(world.wall.now + offset, value)


def _passing(ns: int) -> Turn:
    return lambda world: world.pass_time(ns)


def _setting(by_ns: int) -> Turn:
    return lambda world: world.set_wall_clock(by_ns)


def _out_and_back(by_ns: int, price: float) -> Turn:
    """Set the clock, trade, and set it back within the second."""

    def turn(world: World) -> None:
        world.set_wall_clock(by_ns)
        world.trade(world.wall.now, price, 1)
        world.pass_time(SECOND_NS // 2)
        world.set_wall_clock(-by_ns)

    return turn


steps = st.one_of(
    st.integers(-2 * HOUR_NS, 2 * HOUR_NS), st.sampled_from([-2 * HOUR_NS, 2 * HOUR_NS])
)
turns = st.lists(
    st.one_of(
        st.builds(_trading, offsets, prices, sizes),
        st.builds(_trading, offsets, prices, sizes),
        st.builds(_trading_at, impossible, prices, sizes),
        st.builds(_earning, offsets, st.integers(-1000, 1000)),
        st.builds(_passing, st.integers(0, 2 * SECOND_NS)),
        st.builds(_passing, st.integers(0, 40 * SECOND_NS)),
        st.builds(_setting, steps),
        st.builds(_out_and_back, steps, prices),
    ),
    max_size=40,
)


def play(sequence: Iterable[Turn]) -> World:
    world = World()
    for turn in sequence:
        turn(world)
    return world


@given(turns)
def test_the_gate_lets_every_event_through_at_a_possible_time(sequence: list[Turn]) -> None:
    world = play(sequence)
    replaced = 0
    assert len(world.published) == len(world.said)
    for said, published in zip(world.said, world.published, strict=True):
        ts_event, received = published.event.ts_event, published.ts_received
        assert EARLIEST_NS <= ts_event <= min(LATEST_NS, received + MAX_AHEAD_NS)
        assert published.topic == said.topic
        if EARLIEST_NS <= said.ts_event <= min(LATEST_NS, received + MAX_AHEAD_NS):
            assert published.event is said
        else:
            replaced += 1
            assert ts_event == received
    assert world.gate.clock_skew == replaced


def bars_of(trades: Sequence[Trade], interval_ns: int) -> list[Bar]:
    """Make bars of all trades at once."""
    found: dict[int, list[Trade]] = {}
    for trade in sorted(trades, key=lambda each: each.ts_event):
        found.setdefault(trade.ts_event // interval_ns * interval_ns, []).append(trade)
    return [
        Bar(
            start,
            group[0].price,
            max(each.price for each in group),
            min(each.price for each in group),
            group[-1].price,
            sum(each.size for each in group),
        )
        for start, group in found.items()
    ]


@given(turns)
def test_bars_are_those_of_all_trades_in_the_order_of_their_time(sequence: list[Turn]) -> None:
    world = play(sequence)
    trades = [trade for trade, _ in world.trades()]
    for interval, (seconds, _) in KEPT.items():
        expected = bars_of(trades, seconds * SECOND_NS)
        assert world.bars.kept(BTC, interval) == expected
        horizon = world.trades()[-1][1] + MAX_AHEAD_NS if trades else 0
        newest = [bar for bar in expected if bar.start <= horizon]
        assert world.bars.of(BTC, interval, 1000) == newest


@given(turns)
def test_day_statistics_are_those_of_the_trades_of_today(sequence: list[Turn]) -> None:
    world = play(sequence)
    for _ in world.quotes.ticks():
        pass
    quote = world.quotes.of(BTC.exchange, BTC.symbol)
    trades = world.trades()
    if quote is None:
        assert not trades
        return
    last_day = (trades[-1][1] + MAX_AHEAD_NS) // DAY_NS
    days = {day.start // DAY_NS: day for day in bars_of([each for each, _ in trades], DAY_NS)}
    today = max(day for day in days if day <= last_day)
    expected = days[today]
    assert (quote.open, quote.high, quote.low) == (expected.open, expected.high, expected.low)
    assert quote.volume == expected.volume
    before = max((day for day in days if day < today), default=None)
    assert quote.close == (expected.open if before is None else days[before].close)
    assert quote.ltp is not None


@given(turns)
def test_pnl_has_a_sample_of_every_second_in_which_any_came(sequence: list[Turn]) -> None:
    world = play(sequence)
    expected: dict[int, tuple[int, float]] = {}
    for each in world.published:
        if isinstance(each.event, Pnl):
            second = each.monotonic_ns // SECOND_NS
            ts, _ = expected.get(second, (each.ts_received, 0))
            expected[second] = ts, each.event.pnl
    for account in world.accounts.current():
        series = account.series
        assert [moment // SECOND_NS for moment in series.moments] == list(expected)
        assert list(zip(series.times, series.values, strict=True)) == list(expected.values())
        assert series.moments == array("q", sorted(series.moments))
        assert series.at([world.monotonic.now]) == [series.values[-1]]


@given(turns)
def test_resume_gives_what_came_after_an_id_in_the_last_minute(sequence: list[Turn]) -> None:
    world = play(sequence)
    hub = world.hub
    newest = world.published[-1].monotonic_ns if world.published else 0
    for channel in (Channel.MARKET, Channel.ACCOUNTS):
        published = [each for each in world.published if each.topic.kind.channel is channel]
        kept = hub.remembered(channel)
        assert kept == published[len(published) - len(kept) :]
        ages = [newest - each.monotonic_ns for each in published]
        assert all(age > WINDOW_NS for age in ages[: len(ages) - len(kept)])
        assert all(age <= WINDOW_NS + FORGET_NS for age in ages[len(ages) - len(kept) :])
        for at, entry in enumerate(kept):
            assert hub.after(hub.event_id(entry), len(kept), {channel}) == kept[at + 1 :]
        if len(kept) < len(published):
            with pytest.raises(ResumeError, match="too old"):
                hub.after("e:0", 1, {channel})
        topics = {each.topic for each in published}
        assert hub.recent(topics) == kept
    assert hub.recent(set()) == []


def everything(_topic: Topic) -> bool:
    return True


def written(form: str, table: Table, rows: Sequence[Row]) -> bytes:
    file = FILES[form].make(table.columns)
    if rows:
        file.write(rows)
    return b"".join(file.finish())


class Exported(Running):
    """What the exports read of a world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.hub, self.accounts, self.bars = world.hub, world.accounts, world.bars


@settings(max_examples=25, deadline=None)
@given(turns)
def test_exports_can_be_written_and_read_again(sequence: list[Turn]) -> None:
    running = Exported(play(sequence))
    tables = [TABLES["pnl"](running)]
    tables += [read(running, BTC) for read in TABLES_OF_INSTRUMENT.values()]
    for table in tables:
        rows = list(table.rows)
        at = [column.type for column in table.columns].index(Type.TIME)
        times = [cast("int", row[at]) for row in rows]
        read = pd.read_parquet(BytesIO(written("parquet", table, rows)))
        assert [each.value for each in read["timestamp"]] == times
        assert all(EARLIEST_NS <= each <= LATEST_NS for each in times)
        assert len(written("csv", table, rows).splitlines()) == len(times) + 1


@settings(max_examples=30, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 3000), min_size=1, max_size=8),
    wall_steps=st.dictionaries(st.integers(0, 60), steps, max_size=6),
    speed=st.sampled_from([1, 2, 0.5]),
)
def test_replay_plays_each_message_when_it_is_due(
    tmp_path_factory: pytest.TempPathFactory,
    gaps: list[int],
    wall_steps: dict[int, int],
    speed: float,
) -> None:
    wall, monotonic = Clock(MIDNIGHT), Clock(77)
    places = [sum(gaps[:at]) for at in range(len(gaps) + 1)]
    file = tmp_path_factory.mktemp("replay") / "some.wslog"
    replay = Replay(
        Recording(_recorded(file, places)),
        clock=wall,
        monotonic=monotonic,
        speed=speed,
        loop=False,
        sleep=(nap := Naps(wall, monotonic, wall_steps)),
    )
    nap.look = lambda: replay.position_s
    played: list[tuple[float, float]] = []

    def publish(event: Event) -> None:
        assert isinstance(event, Price)
        played.append((event.price, (monotonic.now - 77) / 1e6))
        assert abs(wall.now - event.ts_event) <= CLOCK_SET_NS + SECOND_NS // 1000

    asyncio.run(replay.run(publish))
    assert [price for price, _ in played] == [at + 1 for at in range(len(places))]
    assert [ms for _, ms in played] == pytest.approx([at / speed for at in places], abs=1)
    assert nap.positions == sorted(nap.positions)


class Naps:
    """A sleep that moves both clocks, sets the wall clock now and then, and looks on."""

    def __init__(self, wall: Clock, monotonic: Clock, wall_steps: dict[int, int]) -> None:
        self.positions: list[float] = []
        self.look: Callable[[], float] | None = None
        self._wall = wall
        self._monotonic = monotonic
        self._wall_steps = wall_steps

    async def __call__(self, seconds: float) -> None:
        self._wall.advance(seconds=seconds)
        self._monotonic.advance(seconds=seconds)
        self._wall.now += self._wall_steps.get(len(self.positions), 0)
        if self.look is not None:
            self.positions.append(self.look())


def _recorded(file: Path, places_ms: Iterable[int]) -> Path:
    lines = [
        f'{1_600_000_000 + ms / 1000:.3f}: {{"type":"ticker","product_id":"A","price":"{at + 1}"}}'
        for at, ms in enumerate(places_ms)
    ]
    file.write_text("\n".join(lines))
    return file


BURST = 3
REFILL_NS = 6 * SECOND_NS


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4 * SECOND_NS), st.booleans())),
)
def test_failures_are_limited_and_who_did_not_fail_is_never_refused(
    attempts: list[tuple[str, int, bool]],
) -> None:
    monotonic = Clock(0)
    limit = FailureLimit(burst=BURST, refill_ns=REFILL_NS, clock=monotonic)
    failed: dict[str, list[int]] = {"a": [], "b": []}
    for address, passed_ns, fails in attempts:
        monotonic.now += passed_ns
        now, failures = monotonic.now, failed[address]
        recent = [at for at in failures if at > now - BURST * REFILL_NS]
        assert limit.wait_ns(address) <= REFILL_NS
        taken = limit.take(address)
        assert taken or len(recent) >= 1, "only who failed is refused"
        assert taken or len(failures) >= BURST
        if taken and fails:
            failures.append(now)
        elif taken:
            limit.give_back(address)
    for failures in failed.values():
        for first, at in enumerate(failures):
            within = [each for each in failures[first:] if each <= at + 10 * REFILL_NS]
            assert len(within) <= BURST + 10
