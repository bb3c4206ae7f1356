"""Strategies in Lua to test with, and bars to feed them."""

from collections.abc import Mapping

from dashboard.core.trading.hosting import Failed, Returned
from dashboard.core.trading.machine import Machine
from dashboard.core.trading.model import Account, Committed, MarketData, Program, State
from dashboard.trading.sandbox.limits import Limits
from dashboard.trading.sandbox.messages import pack_window
from dashboard.trading.sandbox.strategy import LuaStrategy

ACCOUNT = Account(capital=100_000.0, equity=100_000.0, realized_pnl=0.0, unrealized_pnl=0.0)
ARGUMENTS = "market_data, context, indicators, account"


def code(detect: str = "", *, commit: str = "", manage: str = "", top: str = "") -> str:
    """Write a strategy of what its functions do; the first line is `top`."""
    return "\n".join(
        (
            top,
            f"function detect_opportunity({ARGUMENTS}) {detect}\nend",
            f"function filter_commitment({ARGUMENTS}) {commit}\nend",
            f"function manage_position({ARGUMENTS}) {manage}\nend",
        )
    )


def program(
    text: str,
    *,
    runner_id: str = "runner",
    parameters: Mapping[str, float] | None = None,
    window_size: int = 100,
    bar: str = "tick",
    seed: str = "seed",
) -> Program:
    return Program(
        runner_id=runner_id,
        symbol="BTCUSDT",
        exchange="CRYPTO",
        bar=bar,
        strategy_name="tried",
        version=1,
        code=text,
        parameters=dict(parameters or {}),
        window_size=window_size,
        seed=seed,
    )


def bar(
    close: float = 100.0,
    *,
    timestamp: int = 0,
    high: float | None = None,
    low: float | None = None,
    volume: float = 1.0,
) -> MarketData:
    return MarketData(
        symbol="BTCUSDT",
        timestamp=timestamp,
        open=close,
        high=close if high is None else high,
        low=close if low is None else low,
        close=close,
        volume=volume,
        bid=close - 0.5,
        ask=close + 0.5,
    )


class Detecting:
    """A strategy of which only `detect_opportunity` is called."""

    def __init__(
        self,
        detect: str,
        *,
        top: str = "",
        limits: Limits | None = None,
        window_size: int = 100,
        seed: str = "seed",
        committed: Committed | None = None,
        window: tuple[MarketData, ...] = (),
    ) -> None:
        self.strategy = LuaStrategy(
            program(code(detect, top=top), window_size=window_size, seed=seed),
            limits=limits or Limits(),
            committed=committed,
            window=pack_window(window),
        )
        self.warnings: list[str] = []

    def step(self, given: MarketData | None = None) -> Returned | Failed | None:
        answer, warnings = self.strategy.advance(
            given or bar(), function=State.IDLE, account=ACCOUNT
        )
        self.warnings += [each.error for each in warnings]
        return answer

    def see(self, given: MarketData | None = None) -> str | float | bool | None:
        """Give the `signal` of the answer, None where there is none; it must be an answer."""
        answer = self.step(given)
        assert isinstance(answer, Returned), answer
        return answer.values.get("signal")

    def fail(self, given: MarketData | None = None) -> str:
        """Give the error of the answer."""
        answer = self.step(given)
        assert isinstance(answer, Failed), answer
        return answer.error


def evaluate(expression: str, *, top: str = "") -> str | float | bool | None:
    """Give what an expression of Lua is in a strategy."""
    return Detecting(f"return {{signal = {expression}}}", top=top).see()


def machine(given: Program, *, committed: Committed | None = None) -> Machine:
    """Make a runner's machine around its strategy in Lua."""
    return Machine(given, committed, LuaStrategy(given, limits=Limits(), committed=committed))
