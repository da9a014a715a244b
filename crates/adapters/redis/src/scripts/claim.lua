-- Moves entries from the list to the claims.
-- KEYS: list, claims, moves. ARGV: seconds of the lease, then the members for the claims: 36 characters of token, a colon, the entry.
-- Returns 1 for each that was in the list and 0 for each that was not; for the first ones only, when looking has taken long.
local MOST = 100000 -- entries that one call passes over: a few milliseconds
local time = redis.call('TIME')
local lease_ends = time[1] + time[2] / 1e6 + ARGV[1]
local length = redis.call('LLEN', KEYS[1])
-- Changes nothing. A script that has begun to write is not refused for want of memory: what is claimed is mostly about to leave.
redis.call('ZREM', KEYS[2], '')
local claimed, passed, moved = {}, 0, false
for i = 2, #ARGV do
  if passed > MOST then break end
  local entry = string.sub(ARGV[i], 38)
  local place = redis.call('LPOS', KEYS[1], entry, 'RANK', -1)
  passed = passed + length - (place or 0)
  if place then
    -- Before the list changes: one that is told for nothing costs whoever follows the list a look, one that is not told would hide the change.
    if not moved then redis.call('INCR', KEYS[3]) end
    moved = true
    -- First in, then out: if the second step is refused and so is taking back the first, the entry is in both and not in none.
    redis.call('ZADD', KEYS[2], lease_ends, ARGV[i])
    local removed = redis.pcall('LREM', KEYS[1], -1, entry)
    if removed ~= 1 then
      redis.call('ZREM', KEYS[2], ARGV[i])
      return removed
    end
  end
  claimed[#claimed + 1] = place and 1 or 0
end
return claimed
