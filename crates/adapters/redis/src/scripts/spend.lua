-- Takes so many records from what an operator permitted of a flood.
-- KEYS: the permit, a number of records, or -1 for all. ARGV: how many. Returns 1, or 0 when nothing is permitted.
local left = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if left == 0 then
  return 0
end
if left > 0 then
  redis.call('SET', KEYS[1], math.max(left - tonumber(ARGV[1]), 0))
end
return 1
