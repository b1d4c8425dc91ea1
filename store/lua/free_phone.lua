-- Gives a phone free again, if the attempt has it.
-- KEYS  1 live call
-- ARGV  1 attempt
-- returns 1 when it had it

if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
