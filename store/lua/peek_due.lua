-- Names the lanes that are due, so that claim can declare every key it touches.
-- KEYS  1 due
-- ARGV  1 how many at most  2 how their names must end, '' for all
-- returns {ms until the next lane is due, <id>|<lane>...}

local now, most, suffix = now_ms(), number(ARGV[1]), ARGV[2]
local found = {}
if most > 0 then
  each_due(KEYS[1], now, suffix, suffix == '' and most or 200, function(member)
    found[#found + 1] = member
    return #found >= most
  end)
end
local wait = 0
if #found == 0 then wait = next_due(now, KEYS[1], suffix) end
table.insert(found, 1, int(wait))
return found
