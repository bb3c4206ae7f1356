import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument, decimals_of


@pytest.mark.parametrize(
    ("tick_size", "decimals"),
    [
        (1, 0),
        (5, 0),
        (10, 0),
        (0.5, 1),
        (0.25, 2),
        (0.01, 2),
        (0.05, 2),
        (1e-8, 8),
        (1e-12, 12),
        (1e-15, 15),
        (2.5e-15, 16),
        (3e-20, 20),
        (5e-324, 20),
        (1e22, 0),
        (0.1 + 0.2, 1),
    ],
)
def test_decimals_of_a_tick_size(tick_size: float, decimals: int) -> None:
    assert decimals_of(tick_size) == decimals
    assert Instrument(symbol="X", exchange="E", tick_size=tick_size).decimals == decimals


@given(digits=st.integers(0, 20), steps=st.integers(1, 9))
def test_a_tick_size_rounded_to_its_decimals_is_itself(digits: int, steps: int) -> None:
    tick = steps / 10**digits
    assert round(tick, decimals_of(tick)) == tick
