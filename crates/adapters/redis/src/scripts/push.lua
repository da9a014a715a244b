-- Pushes each letter whose identity was not pushed before.
-- KEYS: list, seen. ARGV: seconds to remember an identity, then for each letter its identity and its entry. Returns how many were new.
local now = tonumber(redis.call('TIME')[1])
-- Changes nothing, and fails where the real one would (wrong type, no permission, no memory). A script that fails half way is not undone:
-- a letter pushed but not noted would be pushed again for ever, one noted but not pushed would be lost.
redis.call('ZADD', KEYS[2], 'XX', now, '')
local new = 0
for i = 2, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    redis.call('LPUSH', KEYS[1], ARGV[i + 1])
    redis.call('ZADD', KEYS[2], now, ARGV[i])
    new = new + 1
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - tonumber(ARGV[1])))
return new
