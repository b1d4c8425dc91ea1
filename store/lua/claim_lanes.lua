-- Leases the named lanes that are (still) due.
-- KEYS  1 due  2 fence  3 dead  then for each lane: the lane, its subject
-- ARGV  1 lease ms  2 how names must end for the time until the next  3.. <id>|<lane>
-- returns {ms until the next lane is due, {<id>|<lane>, token, dirty, attempt, version,
--          doc, seq, head}...}

local now, lease = now_ms(), number(ARGV[1])
local claims = {}
for n = 3, #ARGV do
  local member, lane, subject = ARGV[n], KEYS[2 * n - 2], KEYS[2 * n - 1]
  local due = redis.call('ZSCORE', KEYS[1], member)
  if due and number(due) <= now then
    -- pcall, since one broken record must not keep the others from being worked on.
    local l = redis.pcall('HMGET', lane, 'dirty', 'attempt')
    local s = redis.pcall('HMGET', subject, 'ver', 'doc', 'seq', 'head')
    if l.err or s.err or not (tonumber(s[1] or '') and s[2]) then
      redis.call('ZREM', KEYS[1], member)
      redis.call('ZADD', KEYS[3], int(now), member)
      redis.pcall('HSET', lane, 'error', 'the stored subject of this lane cannot be read')
    else
      local token = int(redis.call('INCR', KEYS[2]))
      redis.call('HSET', lane, 'token', token, 'until', int(now + lease))
      redis.call('ZADD', KEYS[1], int(now + lease), member)
      claims[#claims + 1] = { member, token, l[1] or '0', l[2] or '0', s[1], s[2], s[3] or '0', s[4] or '' }
    end
  end
end
table.insert(claims, 1, int(next_due(now, KEYS[1], ARGV[2])))
return claims
