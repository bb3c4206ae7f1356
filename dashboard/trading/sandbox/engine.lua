-- Runs one strategy, bar by bar.
--
-- Python enters once a bar, with plain numbers, and gets plain values back, or nothing where there
-- is nothing to tell. What a strategy could have touched is read and written raw.

local parts, indicators, memory_bytes, instructions, context_bytes, error_bytes = ...

local collect, concat, error, ipairs = collectgarbage, table.concat, error, ipairs
local getinfo, sethook = debug.getinfo, debug.sethook
local byte, match, sub = string.byte, string.match, string.sub
local load, pack, unpack = load, string.pack, string.unpack
local raw_next, rawget, rawset, select = next, rawget, rawset, select
local measure, to_integer, tostring, type, xpcall = utf8.len, math.tointeger, tostring, type, xpcall
local huge, sort, spread = math.huge, table.sort, table.unpack

local environment, tell, push = parts.environment, indicators.tell, indicators.push
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
local MOST_PARAMETERS = 64
local MISSING = "Strategy error: Missing required function: "
local SOURCE = "=strategy"
local OWN_CHUNKS = { strategy = true, environment = true, indicators = true }
local NO_MEMORY = "not enough memory"
local FULL = "not enough memory: a runner has " .. memory_bytes // 1048576 .. " MB"

-- What a call comes to.
local QUIET, RETURNED, FAILED, ENDED = 0, 1, 2, 3

local symbol = ""

-- Calls: each has so many instructions. Once they are used up every further one fails, so that
-- no pcall goes on after it.

local tripped, error_line
local enter, explain

local function trip()
  tripped = true
  sethook(trip, "", 1)
  local running = getinfo(2, "f").func
  if running ~= enter and running ~= explain then
    error("", 0)
  end
end

-- Say what went wrong, as text, and find the strategy's line. It calls nothing of the strategy's.
function explain(problem)
  error_line = nil
  local level = 2
  local frame = getinfo(level, "Sl")
  while frame do
    if frame.source == SOURCE then
      error_line = frame.currentline
      break
    end
    level = level + 1
    frame = getinfo(level, "Sl")
  end
  local kind = type(problem)
  if kind == "string" then
    return problem
  end
  return kind == "number" and tostring(problem) or "the error is a " .. kind
end

-- Call a function of the strategy; give whether it went well, then its value or the problem.
function enter(called, ...)
  tripped, error_line = false, nil
  sethook(trip, "", instructions)
  local well, value = xpcall(called, explain, ...)
  sethook()
  if tripped then
    return false, "more than " .. instructions .. " instructions in a call"
  end
  return well, value
end

-- Cut text that is too long, never within a character.
local function cut(text)
  if #text <= error_bytes then
    return text
  end
  local last = error_bytes
  while last > 0 and byte(text, last + 1) & 0xC0 == 0x80 do
    last = last - 1
  end
  return sub(text, 1, last)
end

-- Give what a failed call comes to: the outcome, the problem and its line.
local function fail(problem)
  if problem == NO_MEMORY then
    return ENDED, "Lua error: " .. FULL, error_line
  end
  local chunk, line, rest = match(problem, "^(%l+):(%d+): (.*)$")
  if OWN_CHUNKS[chunk] then
    problem = rest
    line = chunk == "strategy" and to_integer(line) or error_line
  else
    line = error_line
  end
  if line then
    problem = "line " .. line .. ": " .. problem
  end
  return FAILED, cut("Lua error: " .. problem), line
end

-- The context: what it holds is kept beside it, to see what a call has changed, and to undo it.

local context, shadow, count = {}, {}, 0
local changed, warned = true, false

local function is_plain(key, value)
  local kind = type(value)
  return type(key) == "string"
    and (kind == "number" or kind == "boolean" or kind == "string" and measure(value) ~= nil)
    and measure(key) ~= nil
end

-- Name what is not plain.
local function describe(key, value)
  if type(key) ~= "string" then
    return "a key that is a " .. type(key)
  end
  if measure(key) == nil then
    return "a key that is not UTF-8"
  end
  local name = "'" .. cut(key) .. "', "
  return name .. (type(value) == "string" and "text that is not UTF-8" or "a " .. type(value))
end

local function copy_shadow()
  local copied = {}
  for key, value in raw_next, shadow do
    copied[key] = value
  end
  return copied
end

-- Keep what has changed; give a warning, and an error.
local function keep_context()
  local kept, kept_count, bytes, warning = {}, 0, 0, nil
  for key, value in raw_next, context do
    if is_plain(key, value) then
      kept[key] = value
      kept_count = kept_count + 1
      bytes = bytes + #key + (type(value) == "string" and #value or 8)
      if bytes > context_bytes then
        context = copy_shadow()
        return nil, "Context over " .. context_bytes // 1024 .. " KB"
      end
    else
      rawset(context, key, nil)
      if not warned then
        warned = true
        warning = "Context: left out " .. describe(key, value)
          .. "; allowed: keys that are strings, and strings, numbers and booleans"
      end
    end
  end
  shadow, count, changed = kept, kept_count, true
  return warning
end

local function look_at_context()
  local seen = 0
  for key, value in raw_next, context do
    local before = shadow[key]
    if value ~= before and (value == value or before == before) then
      return keep_context()
    end
    seen = seen + 1
  end
  if seen ~= count then
    return keep_context()
  end
end

-- One bar.

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
  for at = 1, #flat, 2 do
    if flat[at] == "signal" or flat[at] == "confidence" then
      rawset(context, flat[at], flat[at + 1])
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
  local outcome, what, line = judge(number, enter(called, market_data, context, told, account))
  if outcome == RETURNED and number == DETECT then
    keep_signal(what)
  end
  local warning, over = look_at_context()
  if over and outcome < FAILED then
    outcome, what, line = FAILED, over, nil
  end
  if is_full() then
    outcome, what, line = ENDED, "Lua error: " .. FULL, nil
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

-- Loading.

-- Compile code; give what is wrong with it, where that fails.
local function read(code)
  local well, chunk, problem = xpcall(load, explain, code, SOURCE, "t", environment)
  error_line = nil
  if well and chunk then
    return chunk
  end
  return nil, well and problem or chunk
end

-- Run the code's top level; give what is wrong with it, and its line.
local function run(code, of)
  symbol = of
  local chunk, problem = read(code)
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
  return is_full() and "Lua error: " .. FULL or nil
end

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= huge and value ~= -huge
end

local function find_fault(name, given)
  if type(name) ~= "string" or not match(name, "^[%a_][%w_]*$") or #name > 64 then
    return "a parameter's name must be one of Lua of at most 64 characters"
  end
  local least, most = nil, nil
  if type(given) == "table" then
    for field, value in raw_next, given do
      if field ~= 1 and field ~= "min" and field ~= "max" or not is_finite(value) then
        given = nil
        break
      end
    end
  end
  if type(given) ~= "table" or rawget(given, 1) == nil then
    return "parameters." .. name .. " must be {number, min=number, max=number}, the last two as needed"
  end
  least, most = rawget(given, "min") or -huge, rawget(given, "max") or huge
  if given[1] < least or given[1] > most then
    return "parameters." .. name .. " must lie within its own min and max"
  end
end

-- Give a problem, or nil and then for each parameter its name, number, least and greatest.
local function tell_parameters()
  local given = rawget(environment, "parameters")
  if given == nil then
    return nil
  end
  if type(given) ~= "table" then
    return "Strategy error: parameters must be a table, not a " .. type(given)
  end
  local names, flat = {}, {}
  for name, value in raw_next, given do
    local fault = find_fault(name, value)
    if fault then
      return "Strategy error: " .. fault
    end
    names[#names + 1] = name
  end
  if #names > MOST_PARAMETERS then
    return "Strategy error: a strategy has at most " .. MOST_PARAMETERS .. " parameters"
  end
  sort(names)
  for _, name in ipairs(names) do
    local value = rawget(given, name)
    flat[#flat + 1] = name
    flat[#flat + 1] = rawget(value, 1)
    flat[#flat + 1] = rawget(value, "min") or false
    flat[#flat + 1] = rawget(value, "max") or false
  end
  return nil, spread(flat)
end

-- Put the number in force in a parameter's place.
local function set_parameter(name, value)
  rawset(rawget(environment, "parameters"), name, to_integer(value) or value)
end

-- What outlives the state: the context as values, all else as bytes that only this file reads.

local function put(key, value)
  rawset(context, key, value)
  shadow[key] = value
  count = count + 1
end

-- Give the context if it has changed since it was last given: each key before its value.
local function take_context()
  local keys, flat = {}, {}
  for key in raw_next, shadow do
    keys[#keys + 1] = key
  end
  sort(keys)
  for _, key in ipairs(keys) do
    flat[#flat + 1] = key
    flat[#flat + 1] = shadow[key]
  end
  changed = false
  return spread(flat)
end

-- The numbers of the context that JSON knows none of.
local function save_odd()
  local saved, odd = {}, 0
  for key, value in raw_next, shadow do
    if type(value) == "number" and not is_finite(value) then
      odd = odd + 1
      saved[odd] = pack("<s4d", key, value)
    end
  end
  sort(saved)
  return pack("<I4", odd) .. concat(saved)
end

local odd = save_odd()

local function commit()
  if changed then
    odd = save_odd()
  end
  local saved = pack("<i8B", parts.chance(), warned and 1 or 0) .. odd .. indicators.save()
  return saved, indicators.kept_bars(), changed, parts.wants_taking()
end

-- Go on with packed bars, and with what was saved, empty where nothing was.
local function resume(given, saved)
  if saved == "" then
    indicators.warm_up(given)
    return
  end
  local chance, had_warned, odds, position = unpack("<i8BI4", saved)
  parts.seed(chance)
  warned = had_warned == 1
  for _ = 1, odds do
    local key, value
    key, value, position = unpack("<s4d", saved, position)
    put(key, value)
  end
  odd = save_odd()
  indicators.restore(given, saved, position)
end

return run, tell_parameters, set_parameter, parts.seed, put, resume, advance, commit, take_context, parts.take_lines
