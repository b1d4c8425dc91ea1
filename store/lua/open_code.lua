-- Gives an incident its code at a phone: the one it has, else the first of the wishes
-- that no incident has there, closed ones included until their quarantine is over.
-- KEYS  1 codes (HASH code -> JSON)
-- ARGV  1 entry as JSON  2 incident  3 quarantine ms  4.. wishes
-- returns the code, or '' when all wishes are taken

local now = now_ms()
local all = redis.call('HGETALL', KEYS[1])
local taken = {}
for n = 1, #all, 2 do
  local e = cjson.decode(all[n + 1])
  if e.incident == ARGV[2] then
    redis.call('HSET', KEYS[1], all[n], ARGV[1])
    return all[n]
  end
  if e.closed_ms and now - e.closed_ms > number(ARGV[3]) then
    redis.call('HDEL', KEYS[1], all[n])
  else
    taken[all[n]] = true
  end
end
for n = 4, #ARGV do
  if not taken[ARGV[n]] then
    redis.call('HSET', KEYS[1], ARGV[n], ARGV[1])
    return ARGV[n]
  end
end
return ''
