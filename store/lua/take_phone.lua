-- Makes an attempt the live call of a phone, unless another is.
-- KEYS  1 live call (HASH attempt, until ms)
-- ARGV  1 attempt  2 at most ms
-- returns the attempt that has the phone

local now = now_ms()
local has = redis.call('HMGET', KEYS[1], 'attempt', 'until')
if has[1] and has[1] ~= ARGV[1] and number(has[2]) > now then return has[1] end
redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'until', int(now + number(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], int(number(ARGV[2]) + 60000)) -- clears up, decides nothing
return ARGV[1]
