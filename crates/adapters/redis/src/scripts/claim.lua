-- Moves exactly this entry from the list to the entries being redriven.
-- KEYS: list, processing. ARGV: the entry. Returns 1, or 0 when it is not in the list.
-- First in, then out: if the second step is refused, the entry is in both and not in none.
redis.call('LPUSH', KEYS[2], ARGV[1])
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 1 then
  return 1
end
redis.call('LREM', KEYS[2], 1, ARGV[1])
return 0
