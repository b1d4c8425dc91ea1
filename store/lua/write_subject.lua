-- Fragment of commit and settle: one change of one subject.
-- KEYS  1 subject  2 events  3 due  4 dead  5 lanes  6 bell  7 account  8 refs
--       9 list  10 list of the tenant  11 list of the state  12 list of the state before
--       13 the lane that settles  14.. the lanes to wake
--       (a key that a write does not need is given as the subject's and not touched)
-- ARGV  from i: id, version read, doc, seq, head, command, answer, listed, in tenant,
--       state, state before, opened ms, has account, closed, number of events, of wakes,
--       of alerts; then the events, the wakes (lane, after ms) and the alerts

local function read_write(i)
  local w = {
    id = ARGV[i], version = number(ARGV[i + 1]), doc = ARGV[i + 2], seq = number(ARGV[i + 3]),
    head = ARGV[i + 4], command = ARGV[i + 5], answer = ARGV[i + 6], listed = ARGV[i + 7] == '1',
    tenant = ARGV[i + 8] == '1', state = ARGV[i + 9], was = ARGV[i + 10], opened = ARGV[i + 11],
    account = ARGV[i + 12] == '1', closed = ARGV[i + 13] == '1',
    nevents = number(ARGV[i + 14]), nwakes = number(ARGV[i + 15]), nalerts = number(ARGV[i + 16]),
  }
  w.events = i + 17
  w.wakes = w.events + w.nevents
  w.alerts = w.wakes + 2 * w.nwakes
  return w
end

-- check compares the write with what is stored. It returns the stored version, the
-- first answer to the same command (or nil), and whether exactly this write is there.
local function check(w)
  local h = redis.call('HMGET', KEYS[1], 'ver', 'seq')
  local stored = { version = number(h[1]), seq = number(h[2]) }
  if w.command ~= '' then
    stored.answer = redis.call('HGET', KEYS[1], 'cmd:' .. w.command) or nil
  end
  if stored.version == w.version + 1 then
    h = redis.call('HMGET', KEYS[1], 'doc', 'head')
    stored.same = h[1] == w.doc and h[2] == w.head
  end
  return stored
end

local function wake_all(now, w)
  local rings = false
  for n = 0, w.nwakes - 1 do
    local keys = { lane = KEYS[14 + n], due = KEYS[3], dead = KEYS[4], lanes = KEYS[5] }
    local member = w.id .. '|' .. ARGV[w.wakes + 2 * n]
    if wake(now, keys, member, number(ARGV[w.wakes + 2 * n + 1])) then rings = true end
  end
  if rings then ring(KEYS[6]) end
end

-- write stores the change. It must not run before check said that it may.
local function write(now, w)
  redis.call('HSET', KEYS[1], 'ver', int(w.version + 1), 'doc', w.doc, 'seq', int(w.seq), 'head', w.head)
  if w.command ~= '' then redis.call('HSET', KEYS[1], 'cmd:' .. w.command, w.answer) end
  for n = w.events, w.events + w.nevents - 1 do redis.call('RPUSH', KEYS[2], ARGV[n]) end
  if w.listed then
    redis.call('ZADD', KEYS[9], w.opened, w.id)
    if w.tenant then redis.call('ZADD', KEYS[10], w.opened, w.id) end
    if w.was ~= '' and w.was ~= w.state then redis.call('ZREM', KEYS[12], w.id) end
    redis.call('ZADD', KEYS[11], w.opened, w.id)
  end
  if w.account then
    for n = w.alerts, w.alerts + w.nalerts - 1 do
      redis.call('HSETNX', KEYS[7], 'alert:' .. ARGV[n], w.id)
    end
    if w.closed and redis.call('HGET', KEYS[7], 'open') == w.id then redis.call('HDEL', KEYS[7], 'open') end
  end
  wake_all(now, w)
end
