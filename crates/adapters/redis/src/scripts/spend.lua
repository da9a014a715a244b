-- Takes so many records from what an operator permitted of a flood, or what is left of it.
-- KEYS: the permit, a number of records, or -1 for all. ARGV: how many. Returns how many of them may pass.
local left = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local wanted = tonumber(ARGV[1])
if left < 0 then
  return wanted
end
local granted = math.min(left, wanted)
if granted > 0 then
  redis.call('SET', KEYS[1], left - granted)
end
return granted
