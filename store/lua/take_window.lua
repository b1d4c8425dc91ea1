-- Counts a call in the sliding windows of a destination, or says how long it has to wait.
-- A call that has to wait is not counted.
-- KEYS  1 window  2 block
-- ARGV  1 name of the call, then for each window its number of calls and its ms
-- returns 0 when it may go, else ms until it is worth asking again

local now = now_ms()
local wait = math.max(0, number(redis.call('GET', KEYS[2])) - now)
local longest = 0
for i = 2, #ARGV, 2 do
  local n, span = number(ARGV[i]), number(ARGV[i + 1])
  longest = math.max(longest, span)
  -- With n calls inside the window, the oldest of them has to leave it first.
  local nth = redis.call('ZREVRANGE', KEYS[1], int(n - 1), int(n - 1), 'WITHSCORES')
  if nth[2] then wait = math.max(wait, number(nth[2]) + span - now) end
end
if wait > 0 then return int(wait) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now - longest))
redis.call('ZADD', KEYS[1], int(now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], int(longest + 60000)) -- clears up, decides nothing
return '0'
