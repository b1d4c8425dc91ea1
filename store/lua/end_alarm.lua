-- Notes that an alarm has ended, to be said once. Of one that nobody raised nothing is said.
-- KEYS  1 due  2 alarm
-- ARGV  1 name  2 id  3 words
-- returns 1, or 0 when nothing is to be said

if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HEXISTS', KEYS[2], 'over') == 1 then return '0' end
local now = now_ms()
redis.call('HSET', KEYS[2], 'over', ARGV[3])
redis.call('PERSIST', KEYS[2])
if redis.call('HEXISTS', KEYS[2], 'reached') == 1 then
  -- Some have heard of it and some have not: all of them hear the end, and whoever is
  -- telling the beginning has lost it.
  redis.call('HSET', KEYS[2], 'told', int(now), 'id', ARGV[2])
  redis.call('HDEL', KEYS[2], 'reached', 'tries', 'held')
  redis.call('HINCRBY', KEYS[2], 'claim', 1)
elseif redis.call('HEXISTS', KEYS[2], 'held') == 1 then
  return '1' -- whoever is telling it makes the end due, and the next try reads it
end
redis.call('ZADD', KEYS[1], int(now), ARGV[1])
return '1'
