-- Writes entries of the directory and what is said of them in its record, if nobody wrote
-- since both were read.
-- KEYS  1 version  2 record  3.. the hashes
-- ARGV  1 version read  2 number of events, then the events, then for each entry: number of
--       its hash, id, JSON ('' removes it)
-- returns the new version, or -1 when somebody else wrote first

if number(redis.call('GET', KEYS[1])) ~= number(ARGV[1]) then return -1 end
local events = number(ARGV[2])
for n = 3, 2 + events do redis.call('RPUSH', KEYS[2], ARGV[n]) end
for n = 3 + events, #ARGV, 3 do
  local hash = KEYS[2 + number(ARGV[n])]
  if ARGV[n + 2] == '' then
    redis.call('HDEL', hash, ARGV[n + 1])
  else
    redis.call('HSET', hash, ARGV[n + 1], ARGV[n + 2])
  end
end
return redis.call('INCR', KEYS[1])
