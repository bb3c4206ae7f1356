"""What the description of the trading engine's API shows as examples."""

from pydantic.types import JsonValue

RUNNER_ASKED: dict[str, JsonValue] = {
    "runner_id": "btc_ema_prod",
    "symbol": "BTCUSDT",
    "strategy_name": "ema_crossover",
    "window_size": 100,
    "config": {"stop_on_error": True, "log_actions": True},
}
RUNNER_ENTRY = {
    "runner_id": "btc_ema_prod",
    "symbol": "BTCUSDT",
    "exchange": "CRYPTO",
    "status": "running",
    "state": "InPosition",
    "has_position": True,
    "unrealized_pnl": 150.0,
    "realized_pnl": -12.5,
    "ticks_processed": 1234,
    "errors": 0,
    "uptime_ms": 61_234,
    "strategy_name": "ema_crossover",
    "version": 1,
    "bar": "tick",
    "feed_state": "live",
}
POSITION = {
    "entry_price": 50_000.0,
    "quantity": 0.1,
    "side": "Long",
    "entry_timestamp": 1_700_000_000_000,
    "current_price": 51_500.0,
    "stop_loss": 49_000.0,
    "take_profit": 52_500.0,
    "unrealized_pnl": 150.0,
    "exit_price": None,
    "exit_timestamp": None,
}
RUNNER_DETAILS = {
    "runner_id": "btc_ema_prod",
    "symbol": "BTCUSDT",
    "exchange": "CRYPTO",
    "bar": "tick",
    "strategy_name": "ema_crossover",
    "version": 1,
    "status": "running",
    "state": "InPosition",
    "position": POSITION,
    "context": {"was_above": True},
    "stats": {
        "ticks_processed": 1234,
        "actions_executed": 5,
        "errors": 0,
        "error_rate": 0.0,
        "avg_tick_us": 31.2,
        "min_tick_us": 18.4,
        "max_tick_us": 212.9,
        "dropped": 0,
        "late": 0,
    },
    "uptime_ms": 61_234,
    "away_ms": None,
    "feed_state": "live",
    "window_size": 100,
    "window_len": 100,
    "capital": 100_000.0,
    "realized_pnl": -12.5,
    "unrealized_pnl": 150.0,
    "parameters": {},
    "config": {
        "stop_on_error": True,
        "log_actions": True,
        "log_positions": False,
        "collect_metrics": True,
    },
    "created_by": "owner",
    "log": ['action: {"type":"EnterLong","price":50000.0,"quantity":0.1}'],
    "paper": True,
}
BAR = {
    "symbol": "BTCUSDT",
    "timestamp": 1_700_000_000_000,
    "open": 50_000.0,
    "high": 50_010.0,
    "low": 49_990.0,
    "close": 50_005.0,
    "volume": 1.5,
    "bid": 50_004.5,
    "ask": 50_005.5,
}
TRADE = {
    "runner_id": "btc_ema_prod",
    "symbol": "BTCUSDT",
    "exchange": "CRYPTO",
    "strategy_name": "ema_crossover",
    "version": 1,
    "side": "Long",
    "quantity": 0.1,
    "entry_price": 50_000.0,
    "exit_price": 49_875.0,
    "entry_timestamp": 1_700_000_000_000,
    "exit_timestamp": 1_700_000_060_000,
    "realized_pnl": -12.5,
    "fees": 0.0,
    "reason": "exit",
    "stale": False,
}
RUNNER_MADE = {"runner_id": "btc_ema_prod", "symbol": "BTCUSDT", "message": "the runner is running"}
SYMBOL = {"symbol": "BTCUSDT", "exchange": "CRYPTO", "runners": 1}

CODE = """parameters = {fast = {10, min = 2, max = 50}}

function detect_opportunity(market_data, context, indicators, account)
  local average = indicators.sma(parameters.fast)
  if average and market_data.close > average then return {signal = "above"} end
end

function filter_commitment(market_data, context, indicators, account)
  return {action = "enter_long", quantity = 0.1, stop_loss = market_data.close * 0.98}
end

function manage_position(market_data, context, indicators, account)
  local average = indicators.sma(parameters.fast)
  if average and market_data.close < average then return {action = "exit"} end
end
"""
STRATEGY_ENTRY = {"name": "above_average", "category": "custom", "version": 1}
PARAMETERS = {"fast": {"default": 10.0, "min": 2.0, "max": 50.0}}
STRATEGY_DETAILS = {**STRATEGY_ENTRY, "code": CODE, "parameters": PARAMETERS}
STRATEGY_SAVED = {**STRATEGY_ENTRY, "parameters": PARAMETERS, "message": "version 1 is kept"}
CODE_LOOKED_AT = {
    "valid": False,
    "errors": [{"message": "unexpected symbol near 'end'", "line": 4}],
    "parameters": PARAMETERS,
}
STRATEGY_ASKED: dict[str, JsonValue] = {"name": "above_average", "code": CODE}
CODE_ASKED: dict[str, JsonValue] = {"code": CODE}
