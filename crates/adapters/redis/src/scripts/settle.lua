-- Removes claimed entries for good. One that is not claimed is looked for in the list: its lease was over, and it went back.
-- KEYS: claims, list, moves. ARGV: members of the claims. Returns 1 for each that was removed and 0 for each that was nowhere; for the first
-- ones only, when looking has taken long.
local MOST = 100000 -- entries that one call passes over: a few milliseconds
local length = redis.call('LLEN', KEYS[2])
local settled, passed, moved = {}, 0, false
for i = 1, #ARGV do
  if passed > MOST then break end
  local removed = redis.call('ZREM', KEYS[1], ARGV[i])
  if removed == 0 then
    passed = passed + length
    if not moved then redis.call('INCR', KEYS[3]) end
    moved = true
    removed = redis.call('LREM', KEYS[2], -1, string.sub(ARGV[i], 38))
  end
  settled[#settled + 1] = removed
end
return settled
