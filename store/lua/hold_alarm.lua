-- Keeps who heard an alarm, and when it is claimed again.
-- KEYS  1 due  2 alarm
-- ARGV  1 name  2 claim  3 ms  4 tries  5 who was reached, or ''
-- returns 1, or 0 when somebody else has it

if redis.call('HGET', KEYS[2], 'claim') ~= ARGV[2] then return '0' end
redis.call('HSET', KEYS[2], 'tries', ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[2], 'reached', ARGV[5]) end
redis.call('ZADD', KEYS[1], int(now_ms() + number(ARGV[3])), ARGV[1])
return '1'
