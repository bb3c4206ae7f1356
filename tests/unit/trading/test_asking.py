"""What a runner may be asked to be, whichever door the request came by."""

import pytest

from dashboard.commands.trading import CreateRunner
from dashboard.core.errors import TradingError
from dashboard.trading.asking import check_bounds


def request(**changes: object) -> CreateRunner:
    asked = {"runner_id": "mine", "symbol": "BTC/USD", "strategy_name": "ema_crossover", **changes}
    return CreateRunner(**asked)  # pyright: ignore[reportArgumentType] - what is wrong is the point


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"runner_id": "a/b"}, "runner_id 'a/b'"),
        ({"runner_id": ""}, "runner_id ''"),
        ({"runner_id": ".."}, "runner_id '..'"),
        ({"runner_id": "a\n"}, "runner_id"),
        ({"runner_id": "a" * 65}, "runner_id"),
        ({"window_size": 0}, "window_size 0"),
        ({"window_size": 10_001}, "window_size 10001"),
        ({"capital": 0.0}, "capital 0"),
        ({"capital": float("nan")}, "capital nan"),
        ({"capital": float("inf")}, "capital inf"),
    ],
)
def test_what_is_out_of_bounds_is_named_with_what_is_allowed(
    changes: dict[str, object], named: str
) -> None:
    with pytest.raises(TradingError, match="allowed: ") as refused:
        check_bounds(request(**changes))
    assert refused.value.code == "INVALID_REQUEST"
    assert refused.value.problem.startswith(named)


def test_what_is_within_them_passes() -> None:
    check_bounds(request(runner_id="a" * 64, window_size=10_000, capital=1e15))
