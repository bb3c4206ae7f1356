-- The parameters of a strategy: a global that it declares, of numbers that can be set.

local environment = ...

local huge, sort, spread = math.huge, table.sort, table.unpack
local ipairs, match, raw_next = ipairs, string.match, next
local rawget, rawset, to_integer, type = rawget, rawset, math.tointeger, type

local MOST = 64

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= huge and value ~= -huge
end

-- Tell whether it is a table of the form {number, min=number, max=number}.
local function is_declaration(given)
  if type(given) ~= "table" or rawget(given, 1) == nil then
    return false
  end
  for field, value in raw_next, given do
    if field ~= 1 and field ~= "min" and field ~= "max" or not is_finite(value) then
      return false
    end
  end
  return true
end

local function find_fault(name, given)
  if type(name) ~= "string" or not match(name, "^[%a_][%w_]*$") or #name > 64 then
    return "a parameter's name must be one of Lua of at most 64 characters"
  end
  if not is_declaration(given) then
    return "parameters." .. name .. " must be {number, min=number, max=number}; bounds may lack"
  end
  local least, most = rawget(given, "min") or -huge, rawget(given, "max") or huge
  if rawget(given, 1) < least or rawget(given, 1) > most then
    return "parameters." .. name .. " must lie within its own min and max"
  end
end

-- Give a problem, or nil and then for each parameter its name, number, least and greatest.
local function tell()
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
    if not fault and #names == MOST then
      fault = "a strategy has at most " .. MOST .. " parameters"
    end
    if fault then
      return "Strategy error: " .. fault
    end
    names[#names + 1] = name
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
local function set(name, value)
  rawset(rawget(environment, "parameters"), name, to_integer(value) or value)
end

return { tell = tell, set = set }
