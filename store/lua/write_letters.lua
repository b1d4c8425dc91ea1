-- Writes letters beside an incident, as long as the writer holds the lane.
-- KEYS  1 lane  2 letters
-- ARGV  1 fence token  then name, letter for each
-- returns 1, or 0 when the lease is somebody else's or over

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
return 1
