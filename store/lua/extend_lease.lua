-- Lengthens a lease from now on.
-- KEYS  1 lane  2 due
-- ARGV  1 fence token  2 lease ms  3 <id>|<lane>
-- returns 1, or 0 when the lease is somebody else's or over

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
local til = int(now_ms() + number(ARGV[2]))
redis.call('HSET', KEYS[1], 'until', til)
redis.call('ZADD', KEYS[2], til, ARGV[3])
return 1
