-- What a strategy sees: a table of its own, in place of the state's.
--
-- The same run gives the same result: nothing here depends on an address, a hash or a clock.
-- `order` is that of tables, and so many bytes of log may come before it is filled up again.
-- Gives the table, and what the engine needs beside it.

local order, log_bytes = ...

local assert, error, getmetatable, ipairs, pcall = assert, error, getmetatable, ipairs, pcall
local raw_next, raw_metatable = next, debug.getmetatable
local rawequal, rawget, rawlen, rawset, select = rawequal, rawget, rawlen, rawset, select
local setmetatable, tonumber, tostring, type = setmetatable, tonumber, tostring, type
local concat, pack, unpack = table.concat, table.pack, table.unpack
local find, format, gsub, to_integer = string.find, string.format, string.gsub, math.tointeger

local REFUSED = { "__gc", "__close", "__metatable", "__mode" }
local PLAIN = { ["nil"] = true, boolean = true, number = true, string = true }

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
tables.sort = order.sort

local environment = {
  assert = assert,
  error = error,
  ipairs = ipairs,
  next = order.next,
  pairs = order.pairs,
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
