-- Takes one of n permits for a destination, under a lease.
-- KEYS  1 permits
-- ARGV  1 n  2 lease ms  3 name of the permit
-- returns 0 when taken, else ms until a permit is free at the latest

local now = now_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now))
if redis.call('ZCARD', KEYS[1]) >= number(ARGV[1]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return int(math.max(1, number(first[2]) - now))
end
redis.call('ZADD', KEYS[1], int(now + number(ARGV[2])), ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], int(number(last[2]) + 60000)) -- clears up, decides nothing
return '0'
