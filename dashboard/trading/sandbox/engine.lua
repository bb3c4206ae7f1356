-- Runs one strategy, bar by bar.
--
-- Python enters once a bar, with plain numbers, and gets plain values back, or nothing where there
-- is nothing to tell. What a strategy could have touched is read and written raw.

local surroundings, indicators, calls, context, memory_bytes = ...

local collect, ipairs, pack, unpack = collectgarbage, ipairs, string.pack, string.unpack
local rawget, rawset, select, spread, type = rawget, rawset, select, table.unpack, type

local environment, tell, push = surroundings.environment, indicators.tell, indicators.push
local cut, enter = calls.cut, calls.enter
local memory_kb = memory_bytes / 1024

local FUNCTIONS = { "detect_opportunity", "filter_commitment", "manage_position" }
local DETECT = 1
local FIELDS = {
  "action",
  "price",
  "quantity",
  "stop_loss",
  "take_profit",
  "new_stop",
  "new_target",
  "reason",
  "signal",
  "opportunity",
  "confidence",
}
local MISSING = "Strategy error: Missing required function: "
local NO_MEMORY = "not enough memory"
local FULL = "Lua error: not enough memory: a runner has " .. memory_bytes // 1048576 .. " MB"

-- What a call comes to.
local QUIET, RETURNED, FAILED, ENDED = 0, 1, 2, 3

local symbol = ""

-- Give what a failed call comes to: the outcome, the problem and its line.
local function fail(problem)
  if problem == NO_MEMORY then
    return ENDED, FULL
  end
  return FAILED, calls.tell_problem(problem)
end

-- Give the fields of an answer that mean something, each name before its value.
local function flatten(answer)
  local flat, length = {}, 0
  for at = 1, #FIELDS do
    local name = FIELDS[at]
    local value = rawget(answer, name)
    if value ~= nil then
      local kind = type(value)
      if kind == "string" then
        value = cut(value)
      elseif kind ~= "number" and kind ~= "boolean" then
        return FAILED, "Strategy error: " .. name .. " must be a number or a string, not a " .. kind
      end
      flat[length + 1], flat[length + 2] = name, value
      length = length + 2
    end
  end
  return RETURNED, flat
end

-- Give what a call comes to: the outcome and what goes with it.
local function judge(number, well, answer)
  if not well then
    return fail(answer)
  end
  if answer == nil then
    return QUIET
  end
  if type(answer) ~= "table" then
    local name, kind = FUNCTIONS[number], type(answer)
    return FAILED, "Strategy error: " .. name .. " must return nil or a table, not a " .. kind
  end
  return flatten(answer)
end

local function keep_signal(flat)
  local present = context.present()
  for at = 1, #flat, 2 do
    if flat[at] == "signal" or flat[at] == "confidence" then
      rawset(present, flat[at], flat[at + 1])
    end
  end
end

local function is_full()
  if collect("count") > memory_kb then
    collect()
    return collect("count") > memory_kb
  end
  return false
end

local function call(number, market_data, told, account)
  local called = rawget(environment, FUNCTIONS[number])
  if type(called) ~= "function" then
    return FAILED, nil, MISSING .. FUNCTIONS[number]
  end
  local present = context.present()
  local outcome, what, line = judge(number, enter(called, market_data, present, told, account))
  if outcome == RETURNED and number == DETECT then
    keep_signal(what)
  end
  local warning, over = context.look()
  if over and outcome < FAILED then
    outcome, what, line = FAILED, over, nil
  end
  if is_full() then
    outcome, what, line = ENDED, FULL, nil
  end
  if outcome == RETURNED then
    return outcome, warning, spread(what)
  end
  if outcome ~= QUIET or warning then
    return outcome, warning, what, line
  end
end

local function advance(
  number,
  timestamp,
  open,
  high,
  low,
  close,
  volume,
  bid,
  ask,
  capital,
  equity,
  realized_pnl,
  unrealized_pnl
)
  if number == 0 then
    push(high, low, close, volume)
    return
  end
  local told = tell()
  push(high, low, close, volume)
  local market_data = {
    symbol = symbol,
    timestamp = timestamp,
    open = open,
    high = high,
    low = low,
    close = close,
    volume = volume,
    bid = bid,
    ask = ask,
    mid_price = (bid + ask) / 2,
  }
  local account = {
    capital = capital,
    equity = equity,
    realized_pnl = realized_pnl,
    unrealized_pnl = unrealized_pnl,
  }
  return call(number, market_data, told, account)
end

-- Run the code's top level; give what is wrong with it, and its line.
local function run(code, of)
  symbol = of
  local chunk, problem = calls.compile(code, environment)
  local well = false
  if chunk then
    well, problem = enter(chunk)
  end
  if not well then
    return select(2, fail(problem))
  end
  for _, name in ipairs(FUNCTIONS) do
    if type(rawget(environment, name)) ~= "function" then
      return MISSING .. name
    end
  end
  return is_full() and FULL or nil
end

-- What outlives the state: the context's values, and all else as bytes that only Lua reads.

local function commit()
  local odd, changed = context.save()
  local saved = pack("<i8", surroundings.chance()) .. odd .. indicators.save()
  return saved, indicators.kept_bars(), changed, surroundings.wants_taking()
end

-- Go on with packed bars, and with what was saved, empty where nothing was.
local function resume(given, saved)
  if saved == "" then
    indicators.warm_up(given)
    return
  end
  local chance, position = unpack("<i8", saved)
  surroundings.seed(chance)
  indicators.restore(given, saved, context.restore(saved, position))
end

return {
  advance = advance,
  commit = commit,
  resume = resume,
  run = run,
}
