-- The window of a runner, and its indicators over every bar since it began.
--
-- `high`, `low` and the mean volume are those of the newest `window_size` bars; all is kept up
-- bar by bar, so that a bar costs the same however long the window is. Sums carry what rounding
-- has cut off beside them. At most `limit` different indicators are kept.

local window_size, limit = ...

local LONGEST = 10000

local abs, error, ipairs, type = math.abs, error, ipairs, type
local pack, to_integer, unpack = string.pack, math.tointeger, string.unpack
local concat = table.concat

local bars = 0 -- how many there were
local closes, volumes = { size = window_size }, {} -- rings: that of bar n is at n % size
local volume, volume_carry = 0.0, 0.0

local function add(sum, carry, value)
  local total = sum + value
  if abs(sum) >= abs(value) then
    return total, carry + ((sum - total) + value)
  end
  return total, carry + ((value - total) + sum)
end

-- Extremes: those bars of the window, newest last, that no later one exceeds.

local function make_extreme(exceeds)
  local values, numbers = {}, {} -- rings of the same size
  local first, last = 1, 0
  local function push(number, value)
    if last >= first and numbers[first % window_size] <= number - window_size then
      first = first + 1
    end
    while last >= first and not exceeds(values[last % window_size], value) do
      last = last - 1
    end
    last = last + 1
    values[last % window_size], numbers[last % window_size] = value, number
  end
  return push, function()
    return values[first % window_size]
  end
end

local push_high, find_high = make_extreme(function(one, other)
  return one > other
end)
local push_low, find_low = make_extreme(function(one, other)
  return one < other
end)

-- Each kind has the same fields: how many closes it has had, and up to three numbers.

local KINDS = { "sma", "ema", "rsi" }
local CODES = { sma = 1, ema = 2, rsi = 3 }

local UPDATE = {
  sma = function(self, close, number)
    local count, n = self.count + 1, self.n
    self.count = count
    self.a, self.b = add(self.a, self.b, close)
    if count > n then
      self.a, self.b = add(self.a, self.b, -closes[(number - n) % closes.size])
    end
  end,
  ema = function(self, close)
    local count, n = self.count + 1, self.n
    self.count = count
    if count > n then
      self.a = self.a + (close - self.a) * (2 / (n + 1))
    else
      self.a = self.a + close
      if count == n then
        self.a = self.a / n
      end
    end
  end,
  rsi = function(self, close)
    local count, n = self.count, self.n
    local change = close - self.c
    self.count, self.c = count + 1, close
    if count == 0 then
      return
    end
    local gain, loss = 0.0, 0.0
    if change > 0 then
      gain = change
    else
      loss = -change
    end
    if count > n then
      self.a, self.b = (self.a * (n - 1) + gain) / n, (self.b * (n - 1) + loss) / n
    else
      self.a, self.b = self.a + gain, self.b + loss
      if count == n then
        self.a, self.b = self.a / n, self.b / n
      end
    end
  end,
}

local VALUE = {
  sma = function(self)
    return self.count >= self.n and (self.a + self.b) / self.n or nil
  end,
  ema = function(self)
    return self.count >= self.n and self.a or nil
  end,
  rsi = function(self)
    if self.count <= self.n then
      return nil
    end
    if self.b == 0 then
      return 100.0
    end
    return 100 - 100 / (1 + self.a / self.b)
  end,
}

local kept = {} -- in the order in which they were asked for
local by_kind = { sma = {}, ema = {}, rsi = {} }

-- Keep more closes: a mean needs that of n bars ago.
local function widen(size)
  local wider = { size = size }
  for number = bars > closes.size and bars - closes.size + 1 or 1, bars do
    wider[number % size] = closes[number % closes.size]
  end
  closes = wider
end

local function make(kind, n)
  if kind == "sma" and n > closes.size then
    widen(n)
  end
  return {
    kind = kind,
    code = CODES[kind],
    n = n,
    update = UPDATE[kind],
    count = 0,
    a = 0.0,
    b = 0.0,
    c = 0.0,
  }
end

local function enter(made)
  kept[#kept + 1] = made
  by_kind[made.kind][made.n] = made
end

local function feed(made)
  for number = bars > window_size and bars - window_size + 1 or 1, bars do
    made:update(closes[number % closes.size], number)
  end
end

-- Begin an indicator with the window of this moment. A call that is cut off meanwhile leaves none.
local function begin(kind, asked)
  local n = type(asked) == "number" and to_integer(asked)
  if not n or n < 1 or n > LONGEST then
    return nil
  end
  if #kept >= limit then
    error("a runner has at most " .. limit .. " different indicators", 3)
  end
  local made = make(kind, n)
  feed(made)
  enter(made)
  return made
end

local function make_asking(kind)
  local made, value = by_kind[kind], VALUE[kind]
  return function(n)
    local indicator = n ~= nil and made[n] or begin(kind, n)
    return indicator and value(indicator)
  end
end

local sma, ema, rsi = make_asking("sma"), make_asking("ema"), make_asking("rsi")

-- Give what a strategy gets, before its bar is taken in: the values are of the bars before.
local function tell()
  if bars == 0 then
    return { sma = sma, ema = ema, rsi = rsi }
  end
  local high, low = find_high(), find_low()
  return {
    sma = sma,
    ema = ema,
    rsi = rsi,
    high = high,
    low = low,
    range = high - low,
    avg_volume = (volume + volume_carry) / (bars < window_size and bars or window_size),
  }
end

-- Take a bar into the window alone.
local function keep_bar(high, low, close, bar_volume)
  bars = bars + 1
  closes[bars % closes.size] = close
  volumes[bars % window_size] = bar_volume
  push_high(bars, high)
  push_low(bars, low)
end

local function add_volume(bar_volume)
  volume, volume_carry = add(volume, volume_carry, bar_volume)
  if bars >= window_size then
    volume, volume_carry = add(volume, volume_carry, -volumes[(bars + 1) % window_size])
  end
end

local function push(high, low, close, bar_volume)
  for at = 1, #kept do
    kept[at]:update(close, bars + 1)
  end
  add_volume(bar_volume)
  keep_bar(high, low, close, bar_volume)
end

local HEAD, ITEM = "<I8ddI2", "<BI2I8ddd"

local function save()
  local parts = { pack(HEAD, bars, volume, volume_carry, #kept) }
  for at = 1, #kept do
    local each = kept[at]
    parts[at + 1] = pack(ITEM, each.code, each.n, each.count, each.a, each.b, each.c)
  end
  return concat(parts)
end

-- Take in bars that are packed as four numbers each, oldest first.
local function take_in(given, take)
  local from = 1
  for _ = 1, #given // 32 do
    local high, low, close, bar_volume
    high, low, close, bar_volume, from = unpack("<dddd", given, from)
    take(high, low, close, bar_volume)
  end
end

-- Go on with such bars alone.
local function warm_up(given)
  take_in(given, push)
end

-- Go on with such bars and with what was saved from a position on. The sums that do not go with
-- so few bars begin anew.
local function restore(given, saved, position)
  local had, sum, carry, count
  had, sum, carry, count, position = unpack(HEAD, saved, position)
  for _ = 1, count do
    local code, n, had_closes, a, b, c
    code, n, had_closes, a, b, c, position = unpack(ITEM, saved, position)
    local made = make(KINDS[code], n)
    made.count, made.a, made.b, made.c = had_closes, a, b, c
    enter(made)
  end
  local length = #given // 32
  if length >= had or length >= closes.size then
    bars = had > length and had - length or 0
    take_in(given, keep_bar)
    volume, volume_carry = sum, carry
    return
  end
  take_in(given, function(high, low, close, bar_volume)
    add_volume(bar_volume)
    keep_bar(high, low, close, bar_volume)
  end)
  for _, each in ipairs(kept) do
    if each.kind == "sma" then
      each.count, each.a, each.b = 0, 0.0, 0.0
      feed(each)
    end
  end
end

return {
  tell = tell,
  push = push,
  save = save,
  warm_up = warm_up,
  restore = restore,
  kept_bars = function()
    return closes.size
  end,
}
