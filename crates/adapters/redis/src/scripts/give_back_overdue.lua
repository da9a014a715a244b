-- Puts claimed entries whose lease has ended back at the old end of the list, so that the one claimed first is the oldest again.
-- KEYS: claims, list, moves. ARGV: how many at most. Returns how many there were.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
-- Changes nothing, and fails where the real one would (wrong type, no permission): an entry would be listed again with every try.
redis.call('ZREM', KEYS[1], '')
-- Those of one call have one lease, and tokens that sort as they were claimed.
local overdue = redis.call('ZREVRANGEBYSCORE', KEYS[1], now, '-inf', 'LIMIT', 0, ARGV[1])
if #overdue > 0 then redis.call('INCR', KEYS[3]) end
for _, member in ipairs(overdue) do
  -- First in, then out: if the script ends between the steps, the entry is in both and not in none.
  redis.call('RPUSH', KEYS[2], string.sub(member, 38))
  redis.call('ZREM', KEYS[1], member)
end
return #overdue
