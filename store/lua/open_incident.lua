-- Opens an incident, or says what is there already. One script for one Redis: the marker
-- of the delivery and the directory's version lie in slots of their own, so that a
-- Cluster needs commit_change and a look before it.
-- KEYS  1 subject  2 events  3 due  4 lanes  5 bell  6 account  7 refs  8 list
--       9 list of the tenant  10 list of the state  11 directory version  12 delivery
--       13.. the lanes to wake
--       (a key that an opening does not need is given as the subject's and not touched)
-- ARGV  1 id  2 doc  3 seq  4 head  5 ref  6 alert  7 has account  8 in tenant  9 opened ms
--       10 version of the directory the tenant was found in  11 body hash, '' without delivery
--       12 ms the marker is kept  13 number of events  14 of wakes; then the events and the
--       wakes (lane, after ms)
-- returns {'WRITTEN', 1} | {'EXISTING', id, has it this very alert} | {'REF'} | {'CONFLICT'}
--       | {'DELIVERY', body hash} | {'DIRECTORY', version}

local id, alert = ARGV[1], ARGV[6]
local directory = redis.call('GET', KEYS[11]) or '0'
if directory ~= ARGV[10] then return { 'DIRECTORY', directory } end
if ARGV[11] ~= '' then
  local was = redis.call('SET', KEYS[12], ARGV[11], 'NX', 'GET', 'PX', ARGV[12])
  if was and was ~= ARGV[11] then return { 'DELIVERY', was } end
end
if ARGV[7] == '1' then
  local there = redis.call('HMGET', KEYS[6], 'open', 'alert:' .. alert)
  local known = alert ~= '' and there[2]
  local open = known or there[1]
  -- An id is made for one opening: found again, its reply was lost on the way.
  if open == id then return { 'WRITTEN', '1' } end
  if open then return { 'EXISTING', open, known and '1' or '0' } end
end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'CONFLICT' } end
if ARGV[5] ~= '' and redis.call('HSETNX', KEYS[7], ARGV[5], id) == 0 then return { 'REF' } end
if ARGV[7] == '1' then
  if alert ~= '' then
    redis.call('HSET', KEYS[6], 'open', id, 'alert:' .. alert, id)
  else
    redis.call('HSET', KEYS[6], 'open', id)
  end
end
redis.call('HSET', KEYS[1], 'ver', '1', 'doc', ARGV[2], 'seq', ARGV[3], 'head', ARGV[4])
local first, wakes = 15, 15 + number(ARGV[13])
if wakes > first then redis.call('RPUSH', KEYS[2], unpack(ARGV, first, wakes - 1)) end
redis.call('ZADD', KEYS[8], ARGV[9], id)
if ARGV[8] == '1' then redis.call('ZADD', KEYS[9], ARGV[9], id) end
redis.call('ZADD', KEYS[10], ARGV[9], id)
local n = number(ARGV[14])
if n > 0 then
  local now, rings = now_ms(), false
  for i = 0, n - 1 do -- the incident is new, so nobody holds its lanes
    local member, after = id .. '|' .. ARGV[wakes + 2 * i], number(ARGV[wakes + 2 * i + 1])
    redis.call('HINCRBY', KEYS[13 + i], 'dirty', 1)
    redis.call('SADD', KEYS[4], member)
    redis.call('ZADD', KEYS[3], int(now + after), member)
    if after < 1000 then rings = true end
  end
  if rings then ring(KEYS[5]) end
end
return { 'WRITTEN', '1' }
