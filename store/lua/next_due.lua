-- Fragment of peek and claim.

local function matches(member, suffix)
  return suffix == '' or string.sub(member, -string.len(suffix)) == suffix
end

-- each_due calls f(member, due) for the lanes that are due until the given time, soonest
-- first, until f returns true. Only lanes whose name ends in suffix count.
local function each_due(due, til, suffix, page, f)
  local from = 0
  while true do
    local got = redis.call('ZRANGEBYSCORE', due, '-inf', int(til), 'WITHSCORES', 'LIMIT', from, page)
    for i = 1, #got, 2 do
      if matches(got[i], suffix) and f(got[i], tonumber(got[i + 1])) then return end
    end
    if #got < 2 * page then return end
    from = from + page
  end
end

-- next_due returns how many ms it is until a lane is due, at most a second.
local function next_due(now, due, suffix)
  local wait = 1000
  each_due(due, now + wait, suffix, suffix == '' and 1 or 200, function(_, at)
    wait = math.max(0, at - now)
    return true
  end)
  return wait
end
