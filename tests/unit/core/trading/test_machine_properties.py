import math
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trading.events import (
    ActionExecuted,
    AnyRunnerEvent,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    Reason,
    RunnerError,
    StateTransition,
    TickReceived,
)
from dashboard.core.trading.hosting import Failed
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import (
    Committed,
    MarketData,
    PositionSide,
    State,
)
from tests.unit.core.trading.fakes import FakeStrategy, Said, bar, program

prices = st.integers(90, 110).map(float)
numbers = st.one_of(prices, st.sampled_from((0.0, -1.0, math.nan, math.inf, 1e308)))
maybe = st.one_of(st.none(), numbers)
lengths = st.sampled_from(("1m", "tick"))


@st.composite
def bars(draw: st.DrawFn) -> list[MarketData]:
    made: list[MarketData] = []
    for number in range(draw(st.integers(1, 25))):
        opens, close, one, other, bid, ask = (draw(prices) for _ in range(6))
        low, high = min(opens, close, one), max(opens, close, other)
        at = number * 60_000
        made.append(bar(close, at=at, opens=opens, low=low, high=high, bid=bid, ask=ask))
    return made


entries = st.fixed_dictionaries(
    {
        "action": st.sampled_from(("enter_long", "enter_short")),
        "quantity": st.sampled_from((0.1, 2.0, 3.0, 0.0, math.nan)),
    },
    optional={"price": maybe, "stop_loss": maybe, "take_profit": maybe},
)
others = st.one_of(
    st.fixed_dictionaries({"action": st.just("exit")}, optional={"price": maybe}),
    st.fixed_dictionaries({"action": st.just("update_stop_loss"), "new_stop": maybe}),
    st.fixed_dictionaries({"action": st.just("update_take_profit"), "new_target": maybe}),
    st.just({"action": "cancel_analysis", "reason": "no"}),
    st.just({"action": "start_analyzing", "reason": "yes"}),
    st.just({"action": "buy"}),
    st.just({}),
)
said: st.SearchStrategy[Said] = st.one_of(
    st.none(),
    entries,
    entries,
    others,
    st.builds(Failed, st.just("Lua error"), warning=st.booleans()),
)
answers = st.lists(said, max_size=25)


def run(
    length: str, given_bars: Sequence[MarketData], what: Sequence[Said]
) -> tuple[Machine, FakeStrategy, list[list[AnyRunnerEvent]]]:
    strategy = FakeStrategy(what)
    made = Machine(program(length=length), None, strategy)
    return made, strategy, [made.step(each) for each in given_bars]


@given(lengths, bars(), answers)
def test_there_is_a_position_when_and_only_when_the_state_says_so(
    length: str, given_bars: list[MarketData], what: list[Said]
) -> None:
    made = Machine(program(length=length), None, FakeStrategy(what))
    for each in given_bars:
        made.step(each)
        held = made.committed
        assert (held.position is not None) == (held.state is State.IN_POSITION)
        assert held.position is None or held.position.exit_price is None


@given(lengths, bars(), answers)
def test_equity_is_capital_with_what_was_and_what_is_not_yet_realized(
    length: str, given_bars: list[MarketData], what: list[Said]
) -> None:
    _, strategy, steps = run(length, given_bars, what)
    realized = 0.0
    for (_, account), events in zip(strategy.calls, steps, strict=True):
        assert account.equity == account.capital + account.realized_pnl + account.unrealized_pnl
        assert account.realized_pnl == realized
        for event in events:
            if isinstance(event, PositionClosed):
                realized += event.realized_pnl


@given(lengths, bars(), answers)
def test_no_fill_is_outside_the_bar_nor_better_than_its_close(
    length: str, given_bars: list[MarketData], what: list[Said]
) -> None:
    _, _, steps = run(length, given_bars, what)
    for each, events in zip(given_bars, steps, strict=True):
        for event in events:
            if isinstance(event, PositionOpened):
                position = event.position
                fill, buys = position.entry_price, position.side is PositionSide.LONG
            elif isinstance(event, PositionClosed):
                fill, buys = event.exit_price, event.position.side is PositionSide.SHORT
            else:
                continue
            if length == "tick":
                known = (each.close, each.bid, each.ask)
                assert min(known) <= fill <= max(known)
            else:
                assert each.low <= fill <= each.high
                assert fill >= each.close if buys else fill <= each.close


ORDER = [
    TickReceived,
    RunnerError,
    ActionExecuted,
    PositionOpened,
    StateTransition,
    PositionUpdated,
    PositionClosed,
]


@given(lengths, bars(), answers)
def test_events_come_in_their_order_and_transitions_follow_on_another(
    length: str, given_bars: list[MarketData], what: list[Said]
) -> None:
    _, strategy, steps = run(length, given_bars, what)
    assert len(strategy.calls) == len(given_bars)
    state = State.IDLE
    for (function, _), events in zip(strategy.calls, steps, strict=True):
        places = [ORDER.index(type(event)) for event in events]
        assert places == sorted(places)
        assert function is state
        moves = [event for event in events if isinstance(event, StateTransition)]
        for move in moves:
            assert move.from_state is state
            state = move.to_state
        assert len(moves) <= 2
        closed = [event for event in events if isinstance(event, PositionClosed)]
        left = [move for move in moves if move.from_state is State.IN_POSITION]
        assert [event.reason for event in closed] == [move.reason for move in left]
        updated = any(isinstance(event, PositionUpdated) for event in events)
        assert updated == (state is State.IN_POSITION)


@given(lengths, bars(), answers)
def test_the_same_input_gives_the_same_events(
    length: str, given_bars: list[MarketData], what: list[Said]
) -> None:
    assert run(length, given_bars, what)[2] == run(length, given_bars, what)[2]


@given(lengths, bars(), answers, st.data())
def test_a_run_that_is_cut_goes_on_with_what_was_committed(
    length: str, given_bars: list[MarketData], what: list[Said], data: st.DataObject
) -> None:
    whole, _, expected = run(length, given_bars, what)
    cut = data.draw(st.integers(0, len(given_bars)))
    before, _, steps = run(length, given_bars[:cut], what)
    committed = before.committed
    after = Machine(program(length=length), committed, FakeStrategy(what, committed=committed))
    assert steps + [after.step(each) for each in given_bars[cut:]] == expected
    assert after.committed == whole.committed


@given(lengths, bars(), answers, prices)
def test_a_closed_runner_is_idle_and_has_realized_all(
    length: str, given_bars: list[MarketData], what: list[Said], price: float
) -> None:
    made, _, _ = run(length, given_bars, what)
    held = made.committed
    events: list[Any] = made.close(price, timestamp=1, reason=Reason.RUNNER_STOPPED)
    earned = 0.0 if held.position is None else held.position.profit_at(price)
    assert made.committed == Committed(
        realized_pnl=held.realized_pnl + earned, context=held.context
    )
    assert len(events) == (0 if held.state is State.IDLE else 1 + (held.position is not None))
