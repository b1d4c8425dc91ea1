-- Fragment, put in front of the scripts. Redis's clock is the only clock: replicas of
-- the hub may disagree about the time, leases may not.

local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- int writes a whole number without an exponent, on every Lua that runs this.
local function int(n) return string.format('%.0f', n) end

local function number(s) return tonumber(s or 0) or 0 end
