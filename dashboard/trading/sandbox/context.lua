-- The context: what it holds is kept beside it, to see what a call has changed, and to undo it.
--
-- It holds at most so many bytes: those of its keys and strings, and 8 for each other value. `cut`
-- shortens text that is told.

local context_bytes, cut = ...

local concat, sort, spread = table.concat, table.sort, table.unpack
local huge, kind_of_number, measure = math.huge, math.type, utf8.len
local pack, unpack = string.pack, string.unpack
local raw_next, rawset, type = next, rawset, type

local context, kept, count = {}, {}, 0
local changed, warned = true, false
local odd = "" -- what JSON has not of it, packed

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

-- Drop what is not plain; give a warning the first time.
local function drop(key, value)
  rawset(context, key, nil)
  if warned then
    return nil
  end
  warned = true
  return "Context: left out "
    .. describe(key, value)
    .. "; allowed: keys that are strings, and strings, numbers and booleans"
end

local function undo()
  context = {}
  for key, value in raw_next, kept do
    context[key] = value
  end
end

-- Keep what a call has written; give a warning and an error, where there are any.
local function keep()
  local written, written_count, bytes, warning = {}, 0, 0, nil
  for key, value in raw_next, context do
    if is_plain(key, value) then
      written[key] = value
      written_count = written_count + 1
      bytes = bytes + #key + (type(value) == "string" and #value or 8)
      if bytes > context_bytes then
        undo()
        return warning, "Context over " .. context_bytes // 1024 .. " KB"
      end
    else
      warning = drop(key, value) or warning
    end
  end
  kept, count, changed = written, written_count, true
  return warning
end

-- See whether a call has written anything; give what `keep` gives.
local function look()
  local seen = 0
  for key, value in raw_next, context do
    local before = kept[key]
    if
      value ~= before and (value == value or before == before)
      or kind_of_number(value) ~= kind_of_number(before)
    then
      return keep()
    end
    seen = seen + 1
  end
  if seen ~= count then
    return keep()
  end
end

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= huge and value ~= -huge
end

-- Pack the numbers that JSON has not.
local function pack_odd()
  local packed, length = {}, 0
  for key, value in raw_next, kept do
    if type(value) == "number" and not is_finite(value) then
      length = length + 1
      packed[length] = pack("<s4d", key, value)
    end
  end
  sort(packed)
  return pack("<BI4", warned and 1 or 0, length) .. concat(packed)
end

-- Give what goes with the context beyond JSON, as bytes, and whether it has changed.
local function save()
  if changed then
    odd = pack_odd()
  end
  return odd, changed
end

local function put(key, value)
  rawset(context, key, value)
  kept[key] = value
  count = count + 1
end

-- Go on with what `save` gave, from a position on; give where that ends.
local function restore(saved, position)
  local had_warned, length
  had_warned, length, position = unpack("<BI4", saved, position)
  warned = had_warned == 1
  for _ = 1, length do
    local key, value
    key, value, position = unpack("<s4d", saved, position)
    put(key, value)
  end
  return position
end

-- Give all of it, each key before its value; from now on it has not changed.
local function take()
  local keys, flat = {}, {}
  for key in raw_next, kept do
    keys[#keys + 1] = key
  end
  sort(keys)
  for at = 1, #keys do
    flat[2 * at - 1], flat[2 * at] = keys[at], kept[keys[at]]
  end
  changed = false
  return spread(flat)
end

return {
  -- Give the table that the strategy gets.
  present = function()
    return context
  end,
  look = look,
  put = put,
  restore = restore,
  save = save,
  take = take,
}
