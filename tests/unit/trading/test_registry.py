"""What is asked of runners, with a fake host on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.commands.trading import (
    ControlRunner,
    RemoveRunner,
    TellEngine,
    TellRunnerHistory,
    TellRunners,
    TellTrades,
)
from dashboard.core.directory import Directory
from dashboard.core.errors import ScopeError, StrategyError, TradingError
from dashboard.core.feed_state import FeedState
from dashboard.core.model import Ended, Event
from dashboard.core.principal import STRANGER
from dashboard.core.trading.events import (
    PositionClosed,
    PositionOpened,
    RunnerError,
    RunnerEvent,
    RunnerStarted,
    RunnerStopped,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.hosting import Stepped
from dashboard.core.trading.model import Committed, RunnerConfig, Severity, State
from tests.unit.trading.fake_host import BROKEN, FAILING, IDLE, TRADER
from tests.unit.trading.parts import Parts, minute, running, trade


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with running(tmp_path) as parts:
        yield parts


def kinds(events: Any) -> list[str]:
    return [type(each).__name__ for each in events]


async def in_position(parts: Parts, runner_id: str = "one", **changed: Any) -> None:
    """Make a runner that has bought two at 102."""
    await parts.create(runner_id, **changed)
    parts.publish(trade(100.0, ms=1), trade(101.0, ms=2), trade(102.0, ms=3))


async def test_a_runner_gets_ticks_from_its_start_and_tells_of_them_in_order(parts: Parts) -> None:
    parts.publish(trade(99.0))
    made = await parts.create()
    assert (made.runner_id, made.symbol, made.exchange) == ("one", "BTCUSDT", "CRYPTO")
    assert (made.status, made.state, made.bar, made.version) == ("running", "Idle", "tick", 1)
    parts.publish(trade(100.0, ms=1), trade(101.0, ms=2), trade(102.0, ms=3))
    assert kinds(parts.heard()) == [
        "RunnerStarted",
        "TickReceived",
        *("TickReceived", "StateTransition"),
        *("TickReceived", "ActionExecuted", "PositionOpened", "StateTransition"),
        "PositionUpdated",
    ]
    assert parts.leases.depths == {"CRYPTO:BTCUSDT": 0}


async def test_a_snapshot_has_all_of_a_runner(parts: Parts) -> None:
    config = RunnerConfig(log_positions=True)
    await in_position(
        parts,
        parameters={"fast": 5},
        capital=1_000.0,
        window_size=2,
        config=config,
        created_by="me",
    )
    parts.clocks.advance(seconds=1.5)
    parts.publish(trade(103.0, ms=4))
    told = await parts.snapshot()
    assert (told.status, told.state, told.uptime_ms, told.away_ms) == (
        "running",
        State.IN_POSITION,
        1500,
        None,
    )
    assert told.position is not None
    assert (told.position.entry_price, told.position.unrealized_pnl) == (102.0, 2.0)
    assert told.context == {"ticks": 4}
    assert (told.window_size, told.window_len) == (2, 2)
    assert (told.stats.ticks_processed, told.stats.actions_executed, told.stats.errors) == (4, 1, 0)
    assert (told.stats.avg_tick_us, told.stats.min_tick_us, told.stats.max_tick_us) == (10, 8, 12)
    assert (told.capital, told.realized_pnl, told.unrealized_pnl) == (1_000, 0, 2)
    assert (told.parameters, told.created_by) == ({"fast": 5, "any": 1}, "me")
    assert (told.feed_state, told.config, told.paper) == ("live", config, True)
    action, position = told.log
    assert action.startswith('action: {"type":"EnterLong","price":102.0')
    assert position.startswith('position: {"entry_price":102.0')


async def test_the_history_is_the_newest_of_the_window_oldest_first(parts: Parts) -> None:
    await parts.create(window_size=3)
    parts.publish(*(trade(100.0 + ms, ms=ms) for ms in range(1, 6)))
    asked = TellRunnerHistory(runner_id="one")
    assert [each.close for each in await parts.ask(asked)] == [103, 104, 105]
    asked = TellRunnerHistory(runner_id="one", count=2)
    assert [each.close for each in await parts.ask(asked)] == [104, 105]


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"symbol": "NOPE"}, "INVALID_REQUEST", ["'NOPE'", "GET /api/instruments"]),
        ({"exchange": "NASDAQ"}, "INVALID_REQUEST", ["'BTCUSDT' on exchange 'NASDAQ'"]),
        ({"strategy_name": "nope"}, "STRATEGY_NOT_FOUND", ["'nope'", "GET /api/strategies"]),
        ({"version": 7}, "STRATEGY_NOT_FOUND", ["version 7", "allowed: 1 to 1"]),
        ({"parameters": {"slow": 1}}, "INVALID_REQUEST", ["'slow'", "allowed: any, fast"]),
        ({"parameters": {"fast": 51}}, "INVALID_REQUEST", ["fast=51", "from 2 to 50"]),
        ({"parameters": {"any": float("nan")}}, "INVALID_REQUEST", ["any=nan"]),
        ({"bar": "5x"}, "INVALID_REQUEST", ["'5x'", "5m"]),
    ],
)
async def test_what_is_not_allowed_is_named_and_nothing_is_kept(
    parts: Parts, changed: dict[str, Any], code: str, words: list[str]
) -> None:
    with pytest.raises(TradingError) as caught:
        await parts.create(**changed)
    assert caught.value.code == code
    assert all(word in caught.value.problem for word in words)
    await nothing_is_kept(parts)


async def nothing_is_kept(parts: Parts) -> None:
    assert await parts.ask(TellRunners()) == []
    assert parts.repository.runners() == []
    assert parts.leases.depths == {}
    assert parts.host.machines == {}
    assert parts.heard() == []


async def test_a_feed_that_refuses_an_instrument_is_told_with_its_reason(parts: Parts) -> None:
    parts.leases.refusals["CRYPTO", "BTCUSDT"] = "not in your plan"
    with pytest.raises(TradingError, match="does not deliver CRYPTO:BTCUSDT: not in your plan"):
        await parts.create()
    await nothing_is_kept(parts)


async def test_code_that_does_not_run_leaves_nothing(parts: Parts) -> None:
    parts.repository.add_strategy("bad", BROKEN, {}, created_by="", now=1)
    with pytest.raises(StrategyError, match="it does not run"):
        await parts.create(strategy_name="bad")
    await nothing_is_kept(parts)


async def test_an_id_is_one_runners_also_while_that_is_made(parts: Parts) -> None:
    made = await asyncio.gather(*(parts.create() for _ in range(3)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, TradingError)]
    assert len(refused) == 2
    assert all("there is a runner 'one' already" in each.problem for each in refused)
    assert len(parts.repository.runners()) == 1


async def test_there_are_no_more_runners_than_the_limit(tmp_path: Path) -> None:
    async with running(tmp_path, limit=2) as parts:
        made = await asyncio.gather(
            *(parts.create(f"r{number}") for number in range(4)), return_exceptions=True
        )
        assert sum(isinstance(each, TradingError) for each in made) == 2
        await parts.ask(RemoveRunner(runner_id="r0"))
        await parts.create("r9")


async def test_a_pause_lets_nothing_reach_the_runner(parts: Parts) -> None:
    await in_position(parts)
    for _ in range(2):
        await parts.ask(ControlRunner(runner_id="one", action="pause"))
    parts.heard()
    parts.publish(trade(10.0, ms=5), trade(300.0, ms=6))
    told = await parts.snapshot()
    assert (told.status, told.state, told.window_len) == ("paused", State.IN_POSITION, 3)
    assert parts.heard() == []
    for _ in range(2):
        await parts.ask(ControlRunner(runner_id="one", action="resume"))
    parts.publish(trade(103.0, ms=7))
    assert kinds(parts.heard()) == ["TickReceived", "PositionUpdated"]


async def test_a_pause_ends_what_is_on_its_way_first(parts: Parts) -> None:
    parts.host.waits = True
    await parts.create()
    parts.publish(trade(100.0, ms=1))
    await parts.ask(ControlRunner(runner_id="one", action="pause"))
    assert (await parts.snapshot()).stats.ticks_processed == 1


async def test_an_unknown_action_is_named_with_those_that_there_are(parts: Parts) -> None:
    await parts.create()
    with pytest.raises(TradingError, match="'fly' is not allowed; allowed: pause, resume, stop"):
        await parts.ask(ControlRunner(runner_id="one", action="fly"))


async def test_a_stop_closes_the_position_at_the_last_price(parts: Parts) -> None:
    await in_position(parts)
    await parts.ask(ControlRunner(runner_id="one", action="pause"))
    parts.publish(trade(110.0, ms=9))
    parts.heard()
    for _ in range(2):
        await parts.ask(ControlRunner(runner_id="one", action="stop"))
    transition, closed, stopped = parts.heard()
    assert isinstance(transition, StateTransition)
    assert isinstance(closed, PositionClosed)
    assert (closed.exit_price, closed.realized_pnl, closed.reason, closed.stale) == (
        110,
        16,
        "runner stopped",
        False,
    )
    assert isinstance(stopped, RunnerStopped)
    assert stopped.reason == "stopped"
    told = await parts.snapshot()
    assert (told.status, told.state, told.position) == ("stopped", State.IDLE, None)
    assert (told.realized_pnl, told.unrealized_pnl, told.uptime_ms) == (16, 0, 0)
    assert parts.leases.depths == {}
    assert parts.host.machines == {}
    (made,) = await parts.ask(TellTrades(runner_id="one"))
    assert (made.entry_price, made.exit_price, made.realized_pnl) == (102, 110, 16)
    assert (made.entry_timestamp, made.exit_timestamp) == (3, 9)


async def test_a_close_at_a_stale_price_is_marked(parts: Parts) -> None:
    await in_position(parts)
    parts.state = FeedState.STALE
    assert (await parts.snapshot()).feed_state == "stale"
    await parts.ask(ControlRunner(runner_id="one", action="stop"))
    (closed,) = [each for each in parts.heard() if isinstance(each, PositionClosed)]
    assert (closed.exit_price, closed.stale) == (102, True)
    assert (await parts.ask(TellTrades(runner_id="one")))[0].stale


async def test_a_stopped_runner_is_resumed_anew_with_its_context(parts: Parts) -> None:
    await in_position(parts)
    await parts.ask(ControlRunner(runner_id="one", action="stop"))
    parts.heard()
    with pytest.raises(TradingError, match="the runner is stopped; allowed: "):
        await parts.ask(ControlRunner(runner_id="one", action="pause"))
    await parts.ask(ControlRunner(runner_id="one", action="resume"))
    told = await parts.snapshot()
    assert (told.status, told.window_len, told.realized_pnl) == ("running", 0, 0)
    assert (told.stats.ticks_processed, told.context) == (0, {"ticks": 3})
    assert kinds(parts.heard()) == ["RunnerStarted"]
    parts.publish(trade(100.0, ms=10))
    assert (await parts.snapshot()).context == {"ticks": 4}


async def test_a_resume_that_fails_leaves_the_runner_stopped(parts: Parts) -> None:
    await in_position(parts)
    await parts.ask(ControlRunner(runner_id="one", action="stop"))
    parts.leases.refusals["CRYPTO", "BTCUSDT"] = "no more"
    before = await parts.snapshot()
    with pytest.raises(TradingError, match="no more"):
        await parts.ask(ControlRunner(runner_id="one", action="resume"))
    assert await parts.snapshot() == before


async def test_a_removed_runner_is_gone_but_its_trades(parts: Parts) -> None:
    await in_position(parts)
    await parts.ask(RemoveRunner(runner_id="one"))
    heard = parts.heard()
    assert "PositionClosed" in kinds(heard)
    assert kinds(heard)[-1] == "Ended"
    assert {each.of.subject for each in heard if isinstance(each, Ended)} == {"one"}
    assert parts.repository.runners() == []
    assert len(await parts.ask(TellTrades(runner_id="one"))) == 1
    for command in (
        RemoveRunner(runner_id="one"),
        ControlRunner(runner_id="one", action="stop"),
        TellRunnerHistory(runner_id="one"),
    ):
        with pytest.raises(TradingError, match="there is no runner 'one'") as caught:
            await parts.ask(command)
        assert caught.value.code == "RUNNER_NOT_FOUND"
    await parts.create()


async def test_of_two_who_remove_a_runner_one_does(parts: Parts) -> None:
    await parts.create()
    done = await asyncio.gather(
        *(parts.ask(RemoveRunner(runner_id="one")) for _ in range(2)), return_exceptions=True
    )
    assert [type(each) for each in done] == [type(None), TradingError]


async def test_what_the_sandbox_ends_is_told_and_its_position_closed(parts: Parts) -> None:
    await in_position(parts)
    await parts.create("two")
    parts.heard()
    parts.host.end("one", "memory over 32 MB")
    told = parts.heard()
    assert kinds(told) == ["RunnerError", "StateTransition", "PositionClosed", "RunnerStopped"]
    assert isinstance(told[0], RunnerError)
    assert (told[0].severity, told[0].error) == (Severity.CRITICAL, "memory over 32 MB")
    assert isinstance(told[-1], RunnerStopped)
    assert told[-1].reason == "memory over 32 MB"
    snapshot = await parts.snapshot()
    assert (snapshot.status, snapshot.stats.errors) == ("stopped", 1)
    assert (await parts.snapshot("two")).status == "running"


async def test_an_error_ends_a_runner_that_is_to_stop_at_one(parts: Parts) -> None:
    await parts.save("failing", FAILING)
    await parts.create(strategy_name="failing", config=RunnerConfig(stop_on_error=True))
    await parts.create("two", strategy_name="failing")
    parts.publish(trade(100.0, ms=1), trade(101.0, ms=2))
    first = [each for each in parts.heard() if of(each, "one")]
    assert kinds(first) == [
        "RunnerStarted",
        "TickReceived",
        "RunnerError",
        "RunnerError",
        "RunnerStopped",
    ]
    assert (await parts.snapshot("two")).stats.errors == 2
    assert (await parts.snapshot("two")).stats.error_rate == 1


def of(event: Event, runner_id: str) -> bool:
    return isinstance(event, RunnerEvent) and event.runner_id == runner_id


async def test_dropped_ticks_are_counted_and_warned_of_once(parts: Parts) -> None:
    await parts.create()
    for _ in range(2):
        stepped = Stepped(events=[], committed=Committed(), ticks=1, dropped=5, bars_wanted=100)
        parts.host.tell("one", stepped)
    (warning,) = [each for each in parts.heard() if isinstance(each, RunnerError)]
    assert warning.severity is Severity.WARNING
    told = await parts.snapshot()
    assert (told.stats.dropped, told.stats.errors) == (10, 0)


async def test_what_strategies_print_is_kept_up_to_64_kb(parts: Parts) -> None:
    await parts.create()
    for number in range(70):
        line = f"{number} " + "x" * 1000
        stepped = Stepped(events=[], committed=Committed(), ticks=1, log=[line])
        parts.host.tell("one", stepped)
    lines = (await parts.snapshot()).log
    assert lines[-1].startswith("69 ")
    assert 60_000 < sum(map(len, lines)) <= 64 * 1024


async def test_lists_are_in_the_order_of_the_ids(parts: Parts) -> None:
    for runner_id in ("b", "c", "a"):
        await parts.create(runner_id)
    assert [each.runner_id for each in await parts.ask(TellRunners())] == ["a", "b", "c"]


async def test_health_counts_those_that_run_without_errors_on_a_feed_that_flows(
    parts: Parts,
) -> None:
    await parts.save("failing", FAILING)
    for runner_id, strategy in (("good", "trader"), ("paused", "trader"), ("bad", "failing")):
        await parts.create(runner_id, strategy_name=strategy)
    await parts.ask(ControlRunner(runner_id="paused", action="pause"))
    parts.publish(trade(100.0))
    told = await parts.ask(TellEngine())
    assert (told.runners, told.healthy) == (3, 1)
    parts.state = FeedState.STALE
    assert (await parts.ask(TellEngine())).healthy == 0


async def test_to_change_runners_takes_the_scope(parts: Parts) -> None:
    with pytest.raises(ScopeError):
        await parts.commands.ask(ControlRunner(runner_id="one", action="stop"), by=STRANGER)
    with pytest.raises(ScopeError):
        await parts.commands.ask(RemoveRunner(runner_id="one"), by=STRANGER)
    assert await parts.commands.ask(TellRunners(), by=STRANGER) == []


async def test_a_restart_brings_everything_back(parts: Parts) -> None:
    await in_position(parts, window_size=2, created_by="me")
    await parts.create("paused")
    await parts.ask(ControlRunner(runner_id="paused", action="pause"))
    await parts.create("stopped")
    await parts.ask(ControlRunner(runner_id="stopped", action="stop"))
    before = await parts.snapshot()
    await parts.save("trader", IDLE)  # a running strategy keeps its version
    after = await parts.restarted(after_s=2)
    told = await after.snapshot()
    assert told.away_ms == 2000
    assert (told.position, told.context, told.stats) == (
        before.position,
        before.context,
        before.stats,
    )
    assert (told.version, told.window_len, told.created_by) == (1, 2, "me")
    assert after.host.programs["one"].code == TRADER
    assert [each.close for each in after.host.windows["one"]] == [101, 102]
    assert [type(each) for each in after.heard()] == [RunnerStarted]
    assert (await after.snapshot("paused")).status == "paused"
    assert (await after.snapshot("stopped")).status == "stopped"
    after.publish(trade(40.0, ms=5))  # the first new tick checks the stop
    assert kinds(after.heard()) == ["TickReceived", "StateTransition", "PositionClosed"]
    await after.close()


async def test_a_runner_whose_instrument_is_gone_ends_and_says_so(parts: Parts) -> None:
    await in_position(parts)
    await parts.close()
    after = Parts(parts.folder, clocks=parts.clocks)
    after.directory = Directory()
    await after.engine.registry.restore()
    assert kinds(after.heard()) == [
        "RunnerError",
        "StateTransition",
        "PositionClosed",
        "RunnerStopped",
    ]
    assert (await after.ask(TellTrades(runner_id="one")))[0].stale
    await after.close()


async def test_one_whose_instrument_is_refused_waits_for_it(parts: Parts) -> None:
    await in_position(parts)
    await parts.close()
    after = Parts(parts.folder, clocks=parts.clocks)
    after.leases.refusals["CRYPTO", "BTCUSDT"] = "not now"
    await after.engine.registry.restore()
    told = await after.snapshot()
    assert (told.status, told.feed_state) == ("running", "stale")
    await after.close()


async def test_ticks_that_are_on_their_way_at_the_end_are_not_lost(parts: Parts) -> None:
    parts.host.waits = True
    await parts.create()
    parts.hub.publish(trade(100.0, ms=1))
    after = await parts.restarted()
    assert (await after.snapshot()).stats.ticks_processed == 1
    await after.close()


async def test_ticks_are_told_with_their_data(parts: Parts) -> None:
    await parts.create()
    parts.publish(trade(100.0, ms=7, size=2.5))
    _, tick = parts.heard()
    assert isinstance(tick, TickReceived)
    assert (tick.data.close, tick.data.volume, tick.data.timestamp) == (100, 2.5, 7)
    assert tick.ts_event == 7_000_000


async def test_positions_are_told_when_they_open(parts: Parts) -> None:
    await in_position(parts)
    (opened,) = [each for each in parts.heard() if isinstance(each, PositionOpened)]
    assert (opened.position.entry_price, opened.position.quantity) == (102, 2)


async def test_a_runner_on_whole_bars_has_their_length_unless_it_asks_for_a_multiple(
    parts: Parts,
) -> None:
    assert (await parts.create("one", symbol="BTC-PERP")).bar == "1m"
    assert (await parts.create("two", symbol="BTC-PERP", bar="5m")).bar == "5m"
    parts.publish(*(minute(number, 10.0) for number in range(5)))
    assert len(await parts.ask(TellRunnerHistory(runner_id="one"))) == 5
    assert len(await parts.ask(TellRunnerHistory(runner_id="two"))) == 1
    with pytest.raises(TradingError, match="1m, as its feed has them, or a multiple"):
        await parts.create("three", symbol="BTC-PERP", bar="tick")


async def test_runners_have_kept_up_when_all_is_stepped(parts: Parts) -> None:
    await parts.create()
    parts.host.waits = True
    parts.hub.publish(trade(100.0, ms=1))
    await parts.engine.registry.keep_up()
    assert (await parts.snapshot()).stats.ticks_processed == 1
