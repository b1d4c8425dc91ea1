-- Raises an alarm, or counts it to the open one of its subject.
-- KEYS  1 due  2 alarm
-- ARGV  1 name  2 id  3 words  4 ms until it may be told again
-- returns how often it came up since it was told

local now = now_ms()
redis.call('HSETNX', KEYS[2], 'id', ARGV[2])
redis.call('HSET', KEYS[2], 'words', ARGV[3], 'again', ARGV[4])
redis.call('HDEL', KEYS[2], 'over') -- it began anew before its end was told
redis.call('PERSIST', KEYS[2])
local count = redis.call('HINCRBY', KEYS[2], 'count', 1)
if count == 1 then
  redis.call('HSET', KEYS[2], 'first', int(now))
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  local told = number(redis.call('HGET', KEYS[2], 'told'))
  redis.call('ZADD', KEYS[1], int(math.max(now, told + number(ARGV[4]))), ARGV[1])
end
return int(count)
