-- Fragment of commit, settle and revive.

-- ring leaves a hint that work is due. A few hints are enough: whoever takes one
-- claims many lanes, and hints that nobody takes must not pile up.
local function ring(bell)
  if redis.call('LLEN', bell) < 4 then redis.call('LPUSH', bell, '1') end
end

-- wake makes a lane due after a pause (ms) and reports whether that is worth a bell.
-- keys: lane, due, dead, lanes.
local function wake(now, keys, member, after)
  local h = redis.call('HMGET', keys.lane, 'token', 'until', 'paused')
  redis.call('HINCRBY', keys.lane, 'dirty', 1)
  redis.call('SADD', keys.lanes, member)
  if h[1] and number(h[2]) > now then
    return false -- held: the dirty count tells its settle
  end
  local at = now + after
  if redis.call('ZREM', keys.dead, member) == 1 then
    redis.call('HDEL', keys.lane, 'attempt', 'error', 'paused')
  else
    local due = redis.call('ZSCORE', keys.due, member)
    -- A failed or limited turn keeps its pause, or a busy incident would turn growing
    -- pauses into a hammer on a service that is down.
    if due and (h[3] or number(due) <= at) then return false end
  end
  redis.call('ZADD', keys.due, int(at), member)
  return after < 1000 -- later than that the workers look by themselves
end
