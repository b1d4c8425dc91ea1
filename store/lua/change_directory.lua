-- Writes entries of the directory, if nobody wrote since it was read.
-- KEYS  1 version  2.. the hashes
-- ARGV  1 version read  then for each entry: number of its hash, id, JSON ('' removes it)
-- returns the new version, or -1 when somebody else wrote first

if number(redis.call('GET', KEYS[1])) ~= number(ARGV[1]) then return -1 end
for n = 2, #ARGV, 3 do
  local hash = KEYS[1 + number(ARGV[n])]
  if ARGV[n + 2] == '' then
    redis.call('HDEL', hash, ARGV[n + 1])
  else
    redis.call('HSET', hash, ARGV[n + 1], ARGV[n + 2])
  end
end
return redis.call('INCR', KEYS[1])
