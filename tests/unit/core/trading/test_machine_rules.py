"""How a run under the rules of a backtest differs from a live one."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given

from dashboard.core.trading.events import (
    ActionExecuted,
    AnyRunnerEvent,
    PositionClosed,
    PositionOpened,
    Reason,
    StateTransition,
)
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import Committed, EnterLong, Exit, MarketData, State
from dashboard.core.trading.rules import Fill, Rules, Stops
from tests.unit.core.trading.fakes import (
    DETECT,
    EXIT,
    LONG,
    SHORT,
    FakeStrategy,
    Said,
    bar,
    names,
    program,
)
from tests.unit.core.trading.test_machine_properties import answers, bars, run

MINUTE = 60_000
NEXT_OPEN = Rules(fill=Fill.NEXT_OPEN)
INSIDE = Rules(stops=Stops.INSIDE)
BOTH = Rules(fill=Fill.NEXT_OPEN, stops=Stops.INSIDE)


def play(
    rules: Rules, said: Sequence[Said], *given_bars: MarketData, capital_lost: float = 0.0
) -> tuple[Machine, FakeStrategy, list[list[AnyRunnerEvent]]]:
    """Step through bars, one a minute."""
    strategy = FakeStrategy(said, committed=Committed(context='{"count": 0}'))
    begun = Committed(realized_pnl=-capital_lost)
    made = Machine(program(), begun, strategy, rules=rules)
    steps = [made.step(minute(number, each)) for number, each in enumerate(given_bars)]
    return made, strategy, steps


def minute(number: int, data: MarketData) -> MarketData:
    return bar(data.close, at=number * MINUTE, opens=data.open, high=data.high, low=data.low)


def only(events: Sequence[AnyRunnerEvent], kind: type[Any]) -> Any:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def functions(strategy: FakeStrategy) -> list[State | None]:
    return [function for function, _ in strategy.calls]


# Costs


def test_a_fill_is_told_with_its_costs() -> None:
    rules = Rules(fee_bps=10, spread_bps=20, slippage_bps=10)
    made, _, steps = play(rules, [DETECT, LONG, EXIT], bar(100), bar(100), bar(110))
    assert only(steps[1], ActionExecuted).action == EnterLong(
        price=only(steps[1], PositionOpened).position.entry_price, quantity=2.0
    )
    assert only(steps[1], PositionOpened).position.entry_price == pytest.approx(100.2)
    closed = only(steps[2], PositionClosed)
    assert only(steps[2], ActionExecuted).action == Exit(price=closed.exit_price)
    assert closed.exit_price == pytest.approx(109.78)
    assert closed.fees == pytest.approx((100.2 + 109.78) * 2 / 1000)
    assert closed.realized_pnl == pytest.approx((109.78 - 100.2) * 2 - closed.fees)
    assert made.committed.realized_pnl == closed.realized_pnl


def test_the_bounds_of_a_price_are_checked_before_costs() -> None:
    rules = Rules(spread_bps=1000)
    _, _, steps = play(rules, [DETECT, {**LONG, "price": 101}], bar(100), bar(100, high=101))
    assert only(steps[1], PositionOpened).position.entry_price == pytest.approx(101 * 1.05)


@pytest.mark.parametrize(("stops", "fees"), [(Stops.CLOSE, 0.42), (Stops.INSIDE, 0.20)])
def test_a_target_inside_the_bar_pays_the_maker_s_fee(stops: Stops, fees: float) -> None:
    rules = Rules(fee_bps=10, fee_maker_bps=0, stops=stops)
    enter = {**LONG, "take_profit": 110}
    _, _, steps = play(rules, [DETECT, enter], bar(100), bar(100), bar(110, opens=100, low=100))
    assert only(steps[2], PositionClosed).fees == pytest.approx(fees)


def test_a_stop_inside_the_bar_pays_the_taker_s_fee() -> None:
    rules = Rules(fee_bps=10, fee_maker_bps=0, stops=Stops.INSIDE)
    enter = {**LONG, "stop_loss": 90}
    _, _, steps = play(rules, [DETECT, enter], bar(100), bar(100), bar(90, opens=100, high=100))
    assert only(steps[2], PositionClosed).fees == pytest.approx(0.38)


def test_the_end_of_the_data_pays_its_costs() -> None:
    rules = Rules(fee_bps=10, slippage_bps=100)
    made, _, _ = play(rules, [DETECT, LONG], bar(100), bar(100))
    events = made.close(100.0, timestamp=1, reason=Reason.END_OF_DATA)
    closed = only(events, PositionClosed)
    assert closed.exit_price == pytest.approx(99.0)
    assert closed.fees == pytest.approx((101 + 99) * 2 / 1000)
    assert closed.reason is Reason.END_OF_DATA
    assert names(events) == ["StateTransition", "PositionClosed"]


# Fills at the next open


def test_an_entry_and_an_exit_fill_at_the_next_open() -> None:
    said = [DETECT, LONG, EXIT]
    given_bars = bar(100), bar(101), bar(104, opens=102), bar(107, opens=105)
    _, strategy, steps = play(NEXT_OPEN, said, *given_bars)
    assert names(steps[1]) == ["TickReceived"]
    assert names(steps[2]) == [
        "TickReceived",
        "ActionExecuted",
        "PositionOpened",
        "StateTransition",
        "PositionUpdated",
    ]
    assert only(steps[2], ActionExecuted).action == EnterLong(price=102.0, quantity=2.0)
    position = only(steps[2], PositionOpened).position
    assert (position.entry_price, position.entry_timestamp) == (102.0, 2 * MINUTE)
    assert names(steps[3]) == [
        "TickReceived",
        "ActionExecuted",
        "StateTransition",
        "PositionClosed",
    ]
    assert only(steps[3], PositionClosed).exit_price == 105.0
    inside, idle = State.IN_POSITION, State.IDLE
    assert functions(strategy) == [idle, State.ANALYZING, inside, idle]


def test_at_the_next_open_the_close_makes_no_price_worse() -> None:
    said = [DETECT, {**LONG, "price": 98}]
    made, _, steps = play(NEXT_OPEN, said, bar(100), bar(100, low=97), bar(99, opens=96, low=96))
    assert only(steps[2], PositionOpened).position.entry_price == 96.0
    assert made.fills_at_close == 0


def test_at_the_next_open_a_price_outside_the_bar_is_refused_too() -> None:
    said = [DETECT, {**LONG, "price": 90}]
    _, _, steps = play(NEXT_OPEN, said, bar(100), bar(100), bar(100))
    assert names(steps[1]) == ["TickReceived", "RunnerError"]
    assert names(steps[2]) == ["TickReceived"]


def test_a_stop_at_the_close_fills_at_the_next_open() -> None:
    said = [DETECT, {**LONG, "stop_loss": 95}]
    given_bars = bar(100), bar(100), bar(94, opens=100), bar(90, opens=92)
    _, strategy, steps = play(NEXT_OPEN, said, *given_bars)
    assert names(steps[2])[-1] == "PositionUpdated"
    closed = only(steps[3], PositionClosed)
    assert (closed.exit_price, closed.reason) == (92.0, Reason.STOP_LOSS)
    assert names(steps[3]) == ["TickReceived", "StateTransition", "PositionClosed"]
    assert functions(strategy)[3] is State.IDLE


def test_stop_and_target_stay_as_they_were_given() -> None:
    said = [DETECT, {**LONG, "stop_loss": 95, "take_profit": 120}]
    _, _, steps = play(NEXT_OPEN, said, bar(100), bar(100), bar(105, opens=104))
    position = only(steps[2], PositionOpened).position
    assert (position.stop_loss, position.take_profit) == (95.0, 120.0)


def test_a_latency_waits_for_the_first_open_behind_it() -> None:
    rules = Rules(fill=Fill.NEXT_OPEN, latency_ms=MINUTE + 1)
    given_bars = [bar(100 + number, opens=99.5 + number, low=99) for number in range(6)]
    _, strategy, steps = play(rules, [DETECT, LONG], *given_bars)
    assert only(steps[4], PositionOpened).position.entry_price == 103.5
    assert functions(strategy)[2:5] == [None, None, State.IN_POSITION]


def test_a_latency_that_ends_at_an_open_fills_there() -> None:
    rules = Rules(fill=Fill.NEXT_OPEN, latency_ms=MINUTE)
    _, _, steps = play(rules, [DETECT, LONG], *[bar(100)] * 5)
    assert "PositionOpened" in names(steps[3])


def test_while_an_action_waits_the_strategy_is_not_called() -> None:
    rules = Rules(fill=Fill.NEXT_OPEN, latency_ms=2 * MINUTE)
    _, strategy, _ = play(rules, [DETECT, LONG], *[bar(100)] * 6)
    analyzing, inside = State.ANALYZING, State.IN_POSITION
    assert functions(strategy) == [State.IDLE, analyzing, None, None, inside, inside]


def test_a_waiting_exit_is_dropped_when_an_inside_stop_fills() -> None:
    rules = Rules(fill=Fill.NEXT_OPEN, stops=Stops.INSIDE, latency_ms=2 * MINUTE)
    said = [DETECT, {**LONG, "stop_loss": 95}, None, None, EXIT]
    given_bars = [bar(100)] * 5 + [bar(96, opens=100, low=94, high=100)] + [bar(100)] * 4
    _, strategy, steps = play(rules, said, *given_bars)
    closed = [event for step in steps for event in step if isinstance(event, PositionClosed)]
    assert [(each.exit_price, each.reason) for each in closed] == [(95.0, Reason.STOP_LOSS)]
    assert functions(strategy)[4:] == [State.IN_POSITION, *[State.IDLE] * 5]


def test_what_waits_at_the_end_is_dropped() -> None:
    made, _, _ = play(NEXT_OPEN, [DETECT, LONG], bar(100), bar(100))
    events = made.close(100.0, timestamp=1, reason=Reason.END_OF_DATA)
    assert names(events) == ["StateTransition"]
    assert made.step(minute(9, bar(100)))[1:] == []


# Stops inside the bar


def test_an_inside_stop_fills_at_its_price_from_the_bar_after_the_entry() -> None:
    said = [DETECT, {**LONG, "stop_loss": 95}]
    given_bars = bar(100), bar(100, low=90), bar(98, opens=99, low=94, high=99)
    _, strategy, steps = play(INSIDE, said, *given_bars)
    assert names(steps[1])[-1] == "PositionUpdated"
    closed = only(steps[2], PositionClosed)
    assert (closed.exit_price, closed.reason) == (95.0, Reason.STOP_LOSS)
    assert functions(strategy)[2] is State.IDLE


def test_at_the_next_open_an_inside_stop_counts_from_the_entry_s_bar() -> None:
    said = [DETECT, {**LONG, "stop_loss": 95}]
    _, strategy, steps = play(BOTH, said, bar(100), bar(100), bar(97, opens=99, low=94, high=99))
    assert names(steps[2]) == [
        "TickReceived",
        "ActionExecuted",
        "PositionOpened",
        "StateTransition",
        "StateTransition",
        "PositionClosed",
    ]
    assert functions(strategy)[2] is State.IDLE


def test_an_inside_stop_and_a_detection_may_fall_together() -> None:
    said = [DETECT, {**SHORT, "stop_loss": 105}, {"signal": "again"}]
    _, _, steps = play(INSIDE, said, bar(100), bar(100), bar(100, high=106))
    moves = [event for event in steps[2] if isinstance(event, StateTransition)]
    assert [move.reason for move in moves] == ["stop loss", "again"]
    assert names(steps[2])[-1] == "PositionClosed"


def test_with_stops_inside_the_bar_there_is_no_check_at_the_close() -> None:
    said = [DETECT, {**LONG, "stop_loss": 105}]
    _, _, steps = play(INSIDE, said, bar(100), bar(100))
    assert names(steps[1])[-1] == "PositionUpdated"


def test_a_gap_fills_at_the_open() -> None:
    said = [DETECT, {**LONG, "stop_loss": 95}]
    _, _, steps = play(INSIDE, said, bar(100), bar(100), bar(90, opens=91, low=89, high=92))
    assert only(steps[2], PositionClosed).exit_price == 91.0


# Ruin


def test_a_run_whose_equity_is_gone_at_a_close_ends_there() -> None:
    given_bars = bar(100), bar(100), bar(140), bar(150), bar(100)
    made, strategy, steps = play(Rules(), [DETECT, SHORT], *given_bars, capital_lost=99_900.0)
    closed = only(steps[3], PositionClosed)
    assert (closed.exit_price, closed.reason) == (150.0, Reason.RUINED)
    assert made.ended == "ruined"
    assert steps[4] == []
    assert strategy.count == 4
    assert made.committed.state is State.IDLE


def test_a_live_runner_is_never_ruined() -> None:
    strategy = FakeStrategy([DETECT, SHORT])
    made = Machine(program(), Committed(realized_pnl=-99_900.0, context="{}"), strategy)
    for close in (100, 100, 150):
        made.step(bar(close))
    assert made.ended is None


# In general


@given(bars(), answers)
def test_rules_without_costs_give_the_events_of_a_live_run(
    given_bars: list[MarketData], what: list[Said]
) -> None:
    made = Machine(program(), None, FakeStrategy(what), rules=Rules())
    assert [made.step(each) for each in given_bars] == run("1m", given_bars, what)[2]


@pytest.mark.parametrize("rules", [NEXT_OPEN, INSIDE, BOTH])
@given(given_bars=bars(), what=answers)
def test_no_fill_is_outside_the_bar_before_costs(
    rules: Rules, given_bars: list[MarketData], what: list[Said]
) -> None:
    made = Machine(program(), None, FakeStrategy(what), rules=rules)
    for each in given_bars:
        for event in made.step(each):
            if isinstance(event, PositionOpened):
                fill = event.position.entry_price
                assert rules is INSIDE or fill == each.open
            elif isinstance(event, PositionClosed):
                fill = event.exit_price
            else:
                continue
            assert each.low <= fill <= each.high
        held = made.committed
        assert (held.position is not None) == (held.state is State.IN_POSITION)
