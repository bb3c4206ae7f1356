import math
from typing import Any

import pytest

from dashboard.core.errors import TradingError
from dashboard.core.trading.rules import Fill, Rules, Stops


def test_without_any_nothing_is_paid() -> None:
    rules = Rules()
    assert rules.worsen(123.45, buys=True) == rules.worsen(123.45, buys=False) == 123.45
    assert rules.find_fee(123.45, 2.0) == 0.0
    assert (rules.fill, rules.stops) == (Fill.PRICE, Stops.CLOSE)


def test_half_the_spread_and_the_slippage_make_a_fill_worse() -> None:
    rules = Rules(spread_bps=10, slippage_bps=15)
    assert rules.worsen(1000.0, buys=True) == pytest.approx(1002.0)
    assert rules.worsen(1000.0, buys=False) == pytest.approx(998.0)


def test_the_fee_is_of_the_fill_price() -> None:
    assert Rules(fee_bps=10).find_fee(1000.0, 2.0) == pytest.approx(2.0)


@pytest.mark.parametrize(("maker_bps", "fee"), [(None, 2.0), (0.0, 0.0), (5.0, 1.0)])
def test_a_maker_pays_the_taker_s_fee_unless_one_is_given(
    maker_bps: float | None, fee: float
) -> None:
    rules = Rules(fee_bps=10, fee_maker_bps=maker_bps)
    assert rules.find_fee(1000.0, 2.0, maker=True) == pytest.approx(fee)
    assert rules.find_fee(1000.0, 2.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "name", ["fee_bps", "fee_maker_bps", "spread_bps", "slippage_bps", "latency_ms"]
)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, 1e9])
def test_a_number_out_of_range_is_refused(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value, "fill": Fill.NEXT_OPEN}
    with pytest.raises(TradingError) as caught:
        Rules(**options)
    assert caught.value.problem.startswith(f"{name} {value!r} is not allowed; allowed: 0 to ")


def test_a_latency_needs_an_open_to_wait_for() -> None:
    with pytest.raises(TradingError) as caught:
        Rules(latency_ms=100)
    assert caught.value.problem == (
        "latency_ms 100 is not allowed with fill price; allowed: 0, or fill next-open"
    )
    assert Rules(latency_ms=100, fill=Fill.NEXT_OPEN).latency_ms == 100
