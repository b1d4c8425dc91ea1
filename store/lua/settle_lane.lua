-- Ends or saves a turn: the change and what becomes of the lane, together.
-- KEYS  as write_subject; 13 is the lane
-- ARGV  1 fence token  2 dirty when claimed  3 keep|done|after|retry|pause|dead  4 pause ms
--       5 error  6 <id>|<lane>  7 is there a change  8.. as write_subject
-- returns {'SETTLED'} | {'STALE'} | {'CONFLICT'} | {'GAP', stored seq}

local now = now_ms()
local then_, after, why, member = ARGV[3], number(ARGV[4]), ARGV[5], ARGV[6]
local due, dead, lanes, bell, lane = KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[13]

local h = redis.call('HMGET', lane, 'token', 'dirty')
if h[1] ~= ARGV[1] then return { 'STALE' } end
local woken = h[2] ~= ARGV[2]

if ARGV[7] == '1' then
  local w = read_write(8)
  local stored = check(w)
  if stored.answer or stored.same then
    wake_all(now, w) -- a save whose reply was lost; the fence says it was this holder's
  elseif stored.version ~= w.version then
    return { 'CONFLICT' }
  elseif stored.seq + w.nevents ~= w.seq then
    return { 'GAP', int(stored.seq) }
  else
    write(now, w)
  end
end

if then_ == 'keep' then return { 'SETTLED' } end

redis.call('HDEL', lane, 'token', 'until', 'paused')
if then_ == 'retry' or then_ == 'pause' then
  if then_ == 'retry' then redis.call('HINCRBY', lane, 'attempt', 1) end
  redis.call('HSET', lane, 'error', why, 'paused', '1')
  redis.call('ZADD', due, int(now + after), member)
elseif then_ == 'dead' and not woken then
  redis.call('HINCRBY', lane, 'attempt', 1)
  redis.call('HSET', lane, 'error', why)
  redis.call('ZREM', due, member)
  redis.call('ZADD', dead, int(now), member)
elseif then_ == 'done' and not woken then
  redis.call('DEL', lane) -- tokens are unique in the partition, so nothing is forgotten
  redis.call('ZREM', due, member)
  redis.call('SREM', lanes, member)
else -- after, or woken meanwhile: whoever woke it was not seen by this turn
  if woken then after = 0 end
  redis.call('HDEL', lane, 'attempt', 'error')
  if then_ == 'after' and why ~= '' then redis.call('HSET', lane, 'error', why) end
  redis.call('ZADD', due, int(now + after), member)
  if after < 1000 then ring(bell) end
end
return { 'SETTLED' }
