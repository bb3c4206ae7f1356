-- Calls of the strategy's functions, and what is said of those that fail.
--
-- A call has so many instructions. Once they are used up every further one fails, so that no pcall
-- goes on after it. Text is cut at so many bytes.

local instructions, error_bytes = ...

local byte, match, sub = string.byte, string.match, string.sub
local error, getinfo, sethook = error, debug.getinfo, debug.sethook
local load, to_integer, tostring, type, xpcall = load, math.tointeger, tostring, type, xpcall

local SOURCE = "=strategy"
local OWN_CHUNKS = { strategy = true, environment = true, order = true, indicators = true }

local tripped, error_line
local enter, explain

-- The hook, once all are used up. Only the engine's own two functions get past it.
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

-- Give the problem of a failed call as it is told, and its line.
local function tell_problem(problem)
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
  return cut("Lua error: " .. problem), line
end

-- Compile code; give what is wrong with it, where that fails.
local function compile(code, environment)
  local well, chunk, problem = xpcall(load, explain, code, SOURCE, "t", environment)
  error_line = nil
  if well and chunk then
    return chunk
  end
  return nil, well and problem or chunk
end

return {
  compile = compile,
  cut = cut,
  enter = enter,
  tell_problem = tell_problem,
}
