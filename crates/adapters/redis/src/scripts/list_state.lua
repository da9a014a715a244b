-- How long the list is, and how often it was changed otherwise than at its new end, at one moment.
-- KEYS: list, moves.
return { redis.call('LLEN', KEYS[1]), tonumber(redis.call('GET', KEYS[2]) or '0') or 0 }
