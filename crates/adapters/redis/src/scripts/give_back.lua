-- Puts claimed entries back at the old end of the list.
-- KEYS: claims, list, moves. ARGV: members of the claims, the one that is to be the oldest last. Returns 1 for each that was claimed, else 0.
-- Changes nothing, and fails where the real one would (wrong type, no permission): an entry would be listed again with every try.
redis.call('ZREM', KEYS[1], '')
local returned, moved = {}, false
for i = 1, #ARGV do
  local claimed = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if claimed then
    if not moved then redis.call('INCR', KEYS[3]) end
    moved = true
    -- First in, then out: if the script ends between the steps, the entry is in both and not in none.
    redis.call('RPUSH', KEYS[2], string.sub(ARGV[i], 38))
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
  returned[i] = claimed and 1 or 0
end
return returned
