-- KEYS  1 block
-- returns ms for which the destination is still barred, 0 when it is not

return int(math.max(0, number(redis.call('GET', KEYS[1])) - now_ms()))
