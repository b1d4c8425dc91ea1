-- Counts a name within a sliding period, each name once.
-- KEYS  1 names
-- ARGV  1 n  2 period ms  3 name
-- returns 0 when the period is full, 1 when the name was counted, 2 when it was already

local now = now_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now - number(ARGV[2])))
if redis.call('ZSCORE', KEYS[1], ARGV[3]) then
  return '2'
end
if redis.call('ZCARD', KEYS[1]) >= number(ARGV[1]) then
  return '0'
end
redis.call('ZADD', KEYS[1], int(now), ARGV[3])
redis.call('PEXPIREAT', KEYS[1], int(now + number(ARGV[2]) + 60000)) -- clears up, decides nothing
return '1'
