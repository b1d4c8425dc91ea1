-- Ends an incident at a phone. Its code stays with it for the quarantine.
-- KEYS  1 codes (HASH code -> JSON)
-- ARGV  1 incident
-- returns how many codes were closed

local closed = 0
local all = redis.call('HGETALL', KEYS[1])
for n = 1, #all, 2 do
  local e = cjson.decode(all[n + 1])
  if e.incident == ARGV[1] and not e.closed_ms then
    e.closed_ms = now_ms()
    redis.call('HSET', KEYS[1], all[n], cjson.encode(e))
    closed = closed + 1
  end
end
return closed
