-- Puts claimed entries back at the old end of the list, the last one claimed first.
-- KEYS: processing, list. ARGV: how many at most. Returns how many there were.
local moved = 0
while moved < tonumber(ARGV[1]) and redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do
  moved = moved + 1
end
return moved
