-- Takes one of n places under a lease, or a place in the line for one. Whoever has one of
-- the n lowest ranks of those in the line goes first. A name that has a place keeps it: a
-- name is worked on by one at a time, so that its place was left by a process that died.
-- KEYS  1 places  2 line by rank  3 line by the time each was last seen
-- ARGV  1 n  2 lease ms  3 name  4 rank  5 ms without a sign after which one left the line
-- returns 0 when a place is taken, else how many stand before

local now, n, name = now_ms(), number(ARGV[1]), ARGV[3]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now))
local left = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', int(now - number(ARGV[5])), 'LIMIT', 0, 1000)
for _, gone in ipairs(left) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
redis.call('ZADD', KEYS[2], ARGV[4], name)
redis.call('ZADD', KEYS[3], int(now), name)
local before = redis.call('ZRANK', KEYS[2], name)
if redis.call('ZSCORE', KEYS[1], name) or before < n and redis.call('ZCARD', KEYS[1]) < n then
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
  redis.call('ZADD', KEYS[1], int(now + number(ARGV[2])), name)
  before = -1
end
for _, key in ipairs(KEYS) do -- clears up, decides nothing
  redis.call('PEXPIRE', key, int(number(ARGV[2]) + number(ARGV[5]) + 60000))
end
return before + 1
