-- One change of one subject, outside a lane.
-- KEYS  as write_subject
-- ARGV  1 is it an opening  2 ref  3 alert  4.. as write_subject
-- returns {'WRITTEN', version} | {'REPEATED', version, first answer} | {'CONFLICT'}
--       | {'EXISTING', id, has it this very alert} | {'REF'} | {'GAP', stored seq}

local now = now_ms()
local opening, ref, alert = ARGV[1] == '1', ARGV[2], ARGV[3]
local w = read_write(4)

if opening and w.account then
  local known = alert ~= '' and redis.call('HGET', KEYS[7], 'alert:' .. alert)
  local open = known or redis.call('HGET', KEYS[7], 'open')
  -- An id is made for one opening: found again, its reply was lost on the way.
  if open == w.id then return { 'WRITTEN', int(1) } end
  if open then return { 'EXISTING', open, known and '1' or '0' } end
end

local stored = check(w)
if stored.answer then return { 'REPEATED', int(stored.version), stored.answer } end
if stored.version ~= w.version then return { 'CONFLICT' } end
if stored.seq + w.nevents ~= w.seq then return { 'GAP', int(stored.seq) } end

if opening then
  if ref ~= '' then
    if redis.call('HSETNX', KEYS[8], ref, w.id) == 0 then return { 'REF' } end
  end
  if w.account then
    redis.call('HSET', KEYS[7], 'open', w.id)
    if alert ~= '' then redis.call('HSET', KEYS[7], 'alert:' .. alert, w.id) end
  end
end
write(now, w)
return { 'WRITTEN', int(w.version + 1) }
