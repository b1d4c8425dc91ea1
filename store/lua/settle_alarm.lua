-- Notes that an alarm was told. What came up while it was told is told later, its end now.
-- KEYS  1 due  2 alarm
-- ARGV  1 name  2 claim  3 count that was told  4 '1' when its end was told  5 id of the next telling
--       6 ms that a quiet alarm is remembered
-- returns 1, or 0 when somebody else has it

if redis.call('HGET', KEYS[2], 'claim') ~= ARGV[2] then return '0' end
local now = now_ms()
local left = math.max(0, number(redis.call('HGET', KEYS[2], 'count')) - number(ARGV[3]))
redis.call('HSET', KEYS[2], 'count', int(left))
local over = redis.call('HEXISTS', KEYS[2], 'over') == 1
if over and ARGV[4] == '1' then
  redis.call('DEL', KEYS[2])
  redis.call('ZREM', KEYS[1], ARGV[1])
  return '1'
end
redis.call('HSET', KEYS[2], 'told', int(now), 'first', int(now), 'id', ARGV[5])
redis.call('HDEL', KEYS[2], 'reached', 'tries', 'held')
if over then
  redis.call('ZADD', KEYS[1], int(now), ARGV[1])
elseif left > 0 then
  local again = ARGV[4] == '1' and 0 or number(redis.call('HGET', KEYS[2], 'again'))
  redis.call('ZADD', KEYS[1], int(now + again), ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[6]) -- clears up, decides nothing
end
return '1'
