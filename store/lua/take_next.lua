-- Lets calls go at a rate, and of all who ask, in whatever process, the lowest rank first.
-- A name stands in the line from its first question until it may go, or gave no sign.
-- KEYS  1 line by rank  2 line by the time each was last seen  3 when the next call may go, ms
-- ARGV  1 ms between two calls  2 calls that may go at once  3 name  4 rank
--       5 ms without a sign after which one left the line
-- returns 0 when the call may go, else after how many ms to ask again

local now, gap, name = now_ms(), number(ARGV[1]), ARGV[3]
local left = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(now - number(ARGV[5])), 'LIMIT', 0, 1000)
for _, gone in ipairs(left) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('ZADD', KEYS[1], ARGV[4], name)
redis.call('ZADD', KEYS[2], int(now), name)
local before = redis.call('ZRANK', KEYS[1], name)
local due = math.max(number(redis.call('GET', KEYS[3])), now - gap * (number(ARGV[2]) - 1))
local wait = math.max(due - now, 0)
if before == 0 and wait == 0 then
  redis.call('ZREM', KEYS[1], name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('SET', KEYS[3], int(due + gap))
else
  -- Who stands further behind asks a little later than the first one, who then went.
  wait = math.max(wait + math.min(before, 20) * 10, 1)
end
for _, key in ipairs(KEYS) do -- clears up, decides nothing
  redis.call('PEXPIRE', key, int(gap * number(ARGV[2]) + number(ARGV[5]) + 60000))
end
return math.ceil(wait)
