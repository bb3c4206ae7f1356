-- Buys where the fast mean crosses the slow one from below, and sells where it is below again.

-- Remember whether the fast mean is above the slow one; give that, and what it was before.
local function follow(context, indicators)
  local fast, slow = indicators.ema(10), indicators.ema(20)
  local before = context.is_above
  if fast and slow then
    context.is_above = fast > slow
  end
  return fast and slow and fast > slow, before
end

function detect_opportunity(market_data, context, indicators)
  local is_above, was_above = follow(context, indicators)
  if is_above and was_above == false then
    return { signal = "ema_crossover" }
  end
end

function filter_commitment(market_data, context, indicators)
  local is_above = follow(context, indicators)
  local volume = indicators.avg_volume
  if not is_above or volume and market_data.volume < 0.5 * volume then
    return { action = "cancel_analysis", reason = "volume is low, or the means have crossed back" }
  end
  local price = market_data.close
  return {
    action = "enter_long",
    price = price,
    quantity = 0.1,
    stop_loss = price * 0.98,
    take_profit = price * 1.05,
  }
end

function manage_position(market_data, context, indicators)
  follow(context, indicators)
  local fast, slow = indicators.ema(10), indicators.ema(20)
  if fast and slow and fast < slow then
    return { action = "exit", price = market_data.close }
  end
end
