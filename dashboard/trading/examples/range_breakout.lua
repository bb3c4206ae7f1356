-- Buys where the price leaves its range upwards on high volume; the range is stop and target.

function detect_opportunity(market_data, context, indicators)
  local high, volume = indicators.high, indicators.avg_volume
  if high and market_data.close > 1.005 * high and market_data.volume >= 1.5 * volume then
    context.low = indicators.low
    context.range = indicators.range
    return { signal = "breakout" }
  end
end

function filter_commitment(market_data, context)
  local price = market_data.close
  return {
    action = "enter_long",
    price = price,
    quantity = 0.12,
    stop_loss = context.low,
    take_profit = price + 2 * context.range,
  }
end

function manage_position()
end
