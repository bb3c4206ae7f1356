-- What a strategy sees: a table of its own, in place of the state's.
--
-- Called once a state, before there is a strategy in it, with how many bytes of a log may come
-- before it is filled up again. The same run gives the same result, so nothing here depends on an address, a
-- hash or a clock. Gives the table, and what the engine needs of it.

local log_bytes = ...

local assert, error, getmetatable, ipairs = assert, error, getmetatable, ipairs
local pcall, rawequal, rawget, rawlen, rawset = pcall, rawequal, rawget, rawlen, rawset
local select, setmetatable, tonumber, tostring = select, setmetatable, tonumber, tostring
local type = type
local raw_next, raw_metatable = next, debug.getmetatable
local concat, pack, raw_sort, unpack = table.concat, table.pack, table.sort, table.unpack
local find, format, gsub = string.find, string.format, string.gsub
local min, to_integer = math.min, math.tointeger

local REFUSED = { "__gc", "__close", "__metatable", "__mode" }
local PLAIN = { ["nil"] = true, boolean = true, number = true, string = true }

local function expect_table(value, name)
  if type(value) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(value) .. ")", 3)
  end
end

-- Text: what has an address shows its type in place of it.

local function to_text(value)
  local kind = type(value)
  if PLAIN[kind] then
    return tostring(value)
  end
  local meta = raw_metatable(value)
  local own = meta and rawget(meta, "__tostring")
  if own == nil then
    return kind
  end
  local text = own(value)
  if type(text) ~= "string" then
    error("'__tostring' must return a string", 2)
  end
  return text
end

local function to_format(template, ...)
  if type(template) == "string" and find((gsub(template, "%%%%", "")), "%%[-+ #0%d.]*p") then
    error("string.format knows no %p: it would show an address", 2)
  end
  local values = pack(...)
  for at = 1, values.n do
    if not PLAIN[type(values[at])] then
      values[at] = to_text(values[at])
    end
  end
  return format(template, unpack(values, 1, values.n))
end

-- Errors: Lua's own xpcall calls its handler while the hook runs that has raised the error, and
-- nothing counts instructions in there.
local function handled_call(called, handler, ...)
  local results = pack(pcall(called, ...))
  if results[1] then
    return unpack(results, 1, results.n)
  end
  local _, value = pcall(handler, results[2])
  return false, value
end

-- Order: numbers, then strings, each ascending, then false and true.

local function find_keys(of, name)
  local keys, strings, booleans = {}, {}, {}
  for key in raw_next, of do
    local kind = type(key)
    if kind == "number" then
      keys[#keys + 1] = key
    elseif kind == "string" then
      strings[#strings + 1] = key
    elseif kind == "boolean" then
      booleans[key] = true
    else
      error("'" .. name .. "' goes through keys that are numbers, strings or booleans; one is a " .. kind, 3)
    end
  end
  raw_sort(keys)
  raw_sort(strings)
  table.move(strings, 1, #strings, #keys + 1, keys)
  for _, key in ipairs({ false, true }) do
    if booleans[key] then
      keys[#keys + 1] = key
    end
  end
  return keys
end

-- The first key after one place that is still there, and its place.
local function find_present(of, keys, at)
  local key, value
  repeat
    at = at + 1
    key = keys[at]
    value = key ~= nil and rawget(of, key)
    if key == nil then
      return nil, at
    end
  until value ~= nil
  return key, at
end

local function ordered_pairs(of)
  local meta = raw_metatable(of)
  local own = meta and rawget(meta, "__pairs")
  if own then
    return own(of)
  end
  expect_table(of, "pairs")
  local keys, at, key = find_keys(of, "pairs"), 0, nil
  return function()
    key, at = find_present(of, keys, at)
    if key ~= nil then
      return key, rawget(of, key)
    end
  end
end

-- Where the last call of next was: the keys of a table that is gone through are sorted once.
local walked, walked_keys, walked_at

local function ordered_next(of, key)
  expect_table(of, "next")
  if key == nil then
    walked, walked_keys, walked_at = of, find_keys(of, "next"), 0
  elseif walked ~= of or not rawequal(walked_keys[walked_at], key) then
    walked, walked_keys, walked_at = of, find_keys(of, "next"), nil
    for at, each in ipairs(walked_keys) do
      if rawequal(each, key) or each == key then
        walked_at = at
        break
      end
    end
    if walked_at == nil then
      error("bad argument #2 to 'next' (there is no such key)", 2)
    end
  end
  local found
  found, walked_at = find_present(of, walked_keys, walked_at)
  if found ~= nil then
    return found, rawget(of, found)
  end
end

-- By merging: Lua's own turns on a clock where a list is long, and can't be stopped inside.
local function merge_sort(list, before)
  expect_table(list, "sort")
  local length = #list
  local source, target, width = {}, {}, 1
  for at = 1, length do
    source[at] = list[at]
  end
  while width < length do
    for low = 1, length, 2 * width do
      local middle, high = min(low + width, length + 1), min(low + 2 * width, length + 1)
      local left, right = low, middle
      for at = low, high - 1 do
        local takes_left = right >= high
        if not takes_left and left < middle then
          local a, b = source[left], source[right]
          if before then
            takes_left = not before(b, a)
          else
            takes_left = not (b < a)
          end
        end
        if takes_left then
          target[at] = source[left]
          left = left + 1
        else
          target[at] = source[right]
          right = right + 1
        end
      end
    end
    source, target, width = target, source, 2 * width
  end
  for at = 1, length do
    list[at] = source[at]
  end
end

-- Chance: SplitMix64, whose state is one integer, and is kept with the indicators.

local chance = 0

local function draw()
  chance = chance + 0x9E3779B97F4A7C15
  local bits = chance
  bits = (bits ~ (bits >> 30)) * 0xBF58476D1CE4E5B9
  bits = (bits ~ (bits >> 27)) * 0x94D049BB133111EB
  return bits ~ (bits >> 31)
end

local function random(...)
  local count = select("#", ...)
  if count == 0 then
    return (draw() >> 11) * 0x1p-53
  end
  local low, high = ...
  if count == 1 then
    low, high = 1, low
  end
  low, high = to_integer(tonumber(low)), to_integer(tonumber(high))
  if not (low and high) then
    error("bad argument to 'random' (integers expected)", 2)
  end
  if count == 1 and high == 0 then
    return draw()
  end
  if low > high then
    error("bad argument to 'random' (interval is empty)", 2)
  end
  local width = high - low + 1
  if width > 0 then
    return low + (draw() >> 1) % width
  end
  local drawn -- the interval holds half of all integers or more
  repeat
    drawn = draw()
  until low <= drawn and drawn <= high
  return drawn
end

-- The log: lines that wait to be taken.

local lines, room = {}, log_bytes

local function print_line(...)
  local values = pack(...)
  for at = 1, values.n do
    values[at] = to_text(values[at])
  end
  if room <= 0 then
    return
  end
  local line = concat(values, "\t", 1, values.n)
  room = room - #line - 1
  if room <= 0 then
    line = "the log is full: what follows is left out"
  end
  lines[#lines + 1] = line
end

-- Libraries: copies, so that nothing that a strategy does to them reaches the engine.

local function copy(library, ...)
  local copied = {}
  for name, value in raw_next, library do
    copied[name] = value
  end
  for _, name in ipairs({ ... }) do
    copied[name] = nil
  end
  return copied
end

local strings = copy(string, "dump")
strings.format = to_format
raw_metatable("").__index = strings

local maths = copy(math, "randomseed")
maths.random = random

local tables = copy(table)
tables.sort = merge_sort

local environment = {
  assert = assert,
  error = error,
  ipairs = ipairs,
  next = ordered_next,
  pairs = ordered_pairs,
  pcall = pcall,
  print = print_line,
  rawequal = rawequal,
  rawget = rawget,
  rawlen = rawlen,
  rawset = rawset,
  select = select,
  tonumber = tonumber,
  tostring = to_text,
  type = type,
  xpcall = handled_call,
  math = maths,
  string = strings,
  table = tables,
  utf8 = copy(utf8),
}

function environment.getmetatable(of)
  if type(of) ~= "table" then
    return nil
  end
  return getmetatable(of)
end

function environment.setmetatable(of, meta)
  if type(meta) == "table" then
    for _, field in ipairs(REFUSED) do
      if rawget(meta, field) ~= nil then
        error("setmetatable takes no " .. field, 2)
      end
    end
  end
  return setmetatable(of, meta)
end

return {
  environment = environment,
  seed = function(value)
    chance = value
  end,
  chance = function()
    return chance
  end,
  wants_taking = function()
    return #lines > 0 or room <= 0
  end,
  -- Give the lines that wait; `refill` lets as many bytes come again as at first.
  take_lines = function(refill)
    local taken = lines
    lines = {}
    if refill then
      room = log_bytes
    end
    return unpack(taken)
  end,
}
