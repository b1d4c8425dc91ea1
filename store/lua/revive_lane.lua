-- Makes a dead lane due again.
-- KEYS  1 lane  2 due  3 dead  4 lanes  5 bell
-- ARGV  1 <id>|<lane>
-- returns 1, or 0 when the lane is not dead

if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
local keys = { lane = KEYS[1], due = KEYS[2], dead = KEYS[3], lanes = KEYS[4] }
if wake(now_ms(), keys, ARGV[1], 0) then ring(KEYS[5]) end
return 1
