-- A stretch of the list that is not too large to send. Entries differ in size, and only the server knows theirs before they are sent.
-- KEYS: list. ARGV: the end to count from (newest, oldest), how many entries to leave out there, how many to return at most.
-- Returns at least one entry where there is one, in the order of counting; fewer than asked for where these hold a mebibyte.
local MOST_BYTES = 1048576
local newest, start, limit = ARGV[1] == 'newest', tonumber(ARGV[2]), tonumber(ARGV[3])
local page, bytes, step = {}, 0, 1
while #page < limit and bytes < MOST_BYTES do
  -- Twice as many each time: of large entries few are looked at in vain, and a page of small ones takes few looks.
  step = math.min(step, limit - #page)
  local from = start + #page
  local entries = newest and redis.call('LRANGE', KEYS[1], from, from + step - 1) or redis.call('LRANGE', KEYS[1], -from - step, -from - 1)
  local count = #entries
  for i = 1, count do
    local entry = entries[newest and i or count + 1 - i]
    bytes = bytes + #entry
    if bytes > MOST_BYTES and #page > 0 then return page end
    page[#page + 1] = entry
  end
  if count < step then return page end
  step = step * 2
end
return page
