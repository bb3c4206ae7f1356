"""The indicators of the engine, against `talipp` and against plain Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talipp.indicators import EMA, RSI, SMA
from talipp.indicators.Indicator import Indicator

from dashboard.core.trading.hosting import Returned
from tests.lua import Detecting, bar

EXAMPLE = [
    *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826),
    *(45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439),
]
OF_THE_EXAMPLE = [70.5328, 66.3186, 66.5498, 69.4063, 66.3552, 57.9749]
TALIPP = {"sma": SMA, "ema": EMA, "rsi": RSI}

prices = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=120)
periods = st.integers(2, 40)  # talipp's RSI divides by zero at 1


def run(expression: str, closes: list[float], *, window_size: int = 100) -> list[object]:
    """Give what an expression is on each bar, None also where it is false."""
    strategy = Detecting(f"return {{signal = {expression} or nil}}", window_size=window_size)
    return [strategy.see(bar(close, timestamp=at)) for at, close in enumerate(closes)]


def compute(kind: str, period: int, closes: list[float]) -> list[object]:
    """Give what talipp makes of the closes."""
    indicator: Indicator = TALIPP[kind](period, closes)
    return [None if each is None else pytest.approx(each, rel=1e-9, abs=1e-9) for each in indicator]


def test_the_example() -> None:
    assert run("indicators.rsi(14)", EXAMPLE) == [
        *[None] * 14,
        *(pytest.approx(each, abs=5e-5) for each in OF_THE_EXAMPLE),
    ]


@pytest.mark.parametrize("kind", TALIPP)
@given(prices, periods)
def test_they_are_those_of_talipp(kind: str, closes: list[float], period: int) -> None:
    found = run(f"indicators.{kind}({period})", closes, window_size=10)
    assert found == compute(kind, period, closes)


@pytest.mark.parametrize("kind", TALIPP)
@given(prices, periods, st.integers(1, 30), st.integers(0, 100))
def test_one_asked_for_later_begins_with_that_moments_window(
    kind: str, closes: list[float], period: int, window_size: int, asked: int
) -> None:
    expression = f"market_data.timestamp >= {asked} and indicators.{kind}({period})"
    found = run(expression, closes, window_size=window_size)
    begins = max(0, asked + 1 - window_size)
    assert found[:asked] == [None] * len(closes[:asked])
    assert found[asked:] == compute(kind, period, closes[begins:])[asked - begins :]


def test_a_mean_forgets_what_has_left_it() -> None:
    closes = [1.0, 1e15, 2.0, 3.0, 4.0]
    assert run("indicators.sma(2)", closes)[-2:] == [2.5, 3.5]


@pytest.mark.parametrize("flat", [[5.0] * 4, [1.0, 2.0, 3.0, 4.0]])
def test_without_a_loss_the_rsi_is_100(flat: list[float]) -> None:
    assert run("indicators.rsi(3)", flat) == [None, None, None, 100.0]


@pytest.mark.parametrize(
    "period", ["0", "-1", "1.5", "10001", "1e300", "0/0", "'2'", "{}", "nil", "true", ""]
)
@pytest.mark.parametrize("kind", TALIPP)
def test_a_period_that_is_none_gives_nil(kind: str, period: str) -> None:
    assert run(f"indicators.{kind}({period})", [1.0, 2.0]) == [None, None]


def test_a_whole_number_may_be_a_float() -> None:
    assert run("indicators.sma(2.0) == indicators.sma(2)", [1.0, 2.0]) == [True, True]


def test_the_longest_period_counts() -> None:
    assert run("indicators.sma(10000)", [2.0] * 10_001)[-3:] == [None, 2.0, 2.0]


@given(
    st.lists(st.tuples(*[st.floats(0.01, 1e6)] * 2, st.floats(0, 1e9)), max_size=60),
    st.integers(1, 20),
)
def test_the_window_is_that_of_the_bars_before(
    bars: list[tuple[float, float, float]], window_size: int
) -> None:
    strategy = Detecting(
        "return {price = indicators.high, quantity = indicators.low,"
        " stop_loss = indicators.range, take_profit = indicators.avg_volume}",
        window_size=window_size,
    )
    for number, (one, other, volume) in enumerate(bars):
        high, low = max(one, other), min(one, other)
        answer = strategy.step(bar(low, high=high, low=low, volume=volume))
        assert isinstance(answer, Returned)
        before = bars[max(0, number - window_size) : number]
        if not before:
            assert answer.values == {}
            continue
        highest = max(max(each[:2]) for each in before)
        lowest = min(min(each[:2]) for each in before)
        mean = sum(each[2] for each in before) / len(before)
        assert answer.values == {
            "price": highest,
            "quantity": lowest,
            "stop_loss": highest - lowest,
            "take_profit": pytest.approx(mean, rel=1e-9, abs=1e-9),
        }
