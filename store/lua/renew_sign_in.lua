-- Puts a renewed sign-in in place of the one it was renewed from.
-- KEYS  1 sign-ins
-- ARGV  1 tenant  2 JSON of the one before  3 JSON of the new one
-- returns 1 when it was put, 0 when another one is there

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
