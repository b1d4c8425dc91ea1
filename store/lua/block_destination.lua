-- Bars a destination for everybody until a time; a longer bar stays.
-- KEYS  1 block
-- ARGV  1 ms
-- returns nothing of use

local now = now_ms()
local til = now + number(ARGV[1])
if number(redis.call('GET', KEYS[1])) < til then
  -- The value decides; the expiry only clears up after it.
  redis.call('SET', KEYS[1], int(til), 'PX', int(til - now + 60000))
end
return 1
