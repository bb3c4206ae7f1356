-- Tables are walked and sorted in an order that is the same in every run: numbers, then strings,
-- each ascending, then false and true. Other keys have none, and are refused.

local error, ipairs, type = error, ipairs, type
local raw_metatable, raw_next, rawequal, rawget = debug.getmetatable, next, rawequal, rawget
local min, move, raw_sort = math.min, table.move, table.sort

local function expect_table(value, name)
  if type(value) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(value) .. ")", 3)
  end
end

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
      local allowed = "' goes through keys that are numbers, strings or booleans; one is a "
      error("'" .. name .. allowed .. kind, 3)
    end
  end
  raw_sort(keys)
  raw_sort(strings)
  move(strings, 1, #strings, #keys + 1, keys)
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

return { next = ordered_next, pairs = ordered_pairs, sort = merge_sort }
