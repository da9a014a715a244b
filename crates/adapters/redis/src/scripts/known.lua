-- Says which identities were pushed before.
-- KEYS: seen. ARGV: identities. Returns 1 for each that is remembered, else 0.
local known = {}
for i = 1, #ARGV do
  known[i] = redis.call('ZSCORE', KEYS[1], ARGV[i]) and 1 or 0
end
return known
