-- Leases the alarm that has waited longest.
-- KEYS  1 due
-- ARGV  1 lease ms  2 what the keys of alarms begin with
-- returns {} or {name, id, claim, words, over, count, first, told, tries, reached}

local now = now_ms()
local name = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now), 'LIMIT', 0, 1)[1]
if not name then return {} end
local alarm = ARGV[2] .. name
if redis.call('EXISTS', alarm) == 0 then -- evicted or deleted by hand
  redis.call('ZREM', KEYS[1], name)
  return {}
end
local claim = redis.call('HINCRBY', alarm, 'claim', 1)
redis.call('ZADD', KEYS[1], int(now + number(ARGV[1])), name)
redis.call('HSET', alarm, 'held', '1')
local a = redis.call('HMGET', alarm, 'id', 'words', 'over', 'count', 'first', 'told', 'tries', 'reached')
for i = 1, 8 do a[i] = a[i] or '' end
return { name, a[1], int(claim), a[2], a[3], a[4], a[5], a[6], a[7], a[8] }
