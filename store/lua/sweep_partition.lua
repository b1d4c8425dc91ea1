-- Makes every lane due that has something to do and that nobody would visit.
-- KEYS  1 lanes  2 due  3 dead  4 bell
-- returns how many there were

local now, lost = now_ms(), 0
for _, member in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if not redis.call('ZSCORE', KEYS[2], member) and not redis.call('ZSCORE', KEYS[3], member) then
    redis.call('ZADD', KEYS[2], int(now), member)
    lost = lost + 1
  end
end
if lost > 0 then ring(KEYS[4]) end
return lost
