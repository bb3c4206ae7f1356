-- Buys where the price has fallen fast and lies near its low, and sells once that is made up for.

local PERIOD = 14
local OVERSOLD, MIDDLE = 30, 50

function detect_opportunity(market_data, context, indicators)
  local rsi = indicators.rsi(PERIOD)
  if rsi and rsi < OVERSOLD then
    return { signal = "oversold" }
  end
end

function filter_commitment(market_data, context, indicators)
  local rsi, low = indicators.rsi(PERIOD), indicators.low
  local price = market_data.close
  if rsi and rsi < OVERSOLD and low and price <= 1.02 * low then
    return {
      action = "enter_long",
      price = price,
      quantity = 0.15,
      stop_loss = price * 0.97,
      take_profit = price * 1.04,
    }
  end
  return { action = "cancel_analysis", reason = "no longer oversold near the low" }
end

function manage_position(market_data, context, indicators)
  local rsi = indicators.rsi(PERIOD)
  if rsi and rsi >= MIDDLE then
    return { action = "exit", price = market_data.close }
  end
end
