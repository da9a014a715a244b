-- Counts a stretch of the list by reason, without sending the entries anywhere.
-- KEYS: list. ARGV: how many entries to leave out at the old end. Returns how many entries were looked at (0: there are no more), and
-- each reason followed by its count.
local MOST, MOST_BYTES, AT_ONCE = 1000, 1048576, 50

-- Inside a JSON string every quote has a backslash before it. So `"reason"` without one is a key, and where no bracket follows but the last
-- character, which closes the entry, it is a key of the entry itself. So is every entry of this workspace. The JSON is really read only
-- for entries of others that have such a key and are written in another way; reading all of them would take twice as long.
local function reason(entry)
  local first, last = string.find(entry, '"reason"', 1, true)
  if not first then return 'unknown' end
  local label = string.byte(entry, first - 1) ~= 92 and string.match(entry, '^:"([^"\\]+)"[^{}%[%]]*}$', last + 1)
  if label then return label end
  local is_json, object = pcall(cjson.decode, entry)
  local told = is_json and type(object) == 'table' and object.reason
  return type(told) == 'string' and told or 'unknown'
end

local counts, seen, bytes = {}, 0, 0
while seen < MOST and bytes < MOST_BYTES do
  local from = ARGV[1] + seen
  local entries = redis.call('LRANGE', KEYS[1], -from - AT_ONCE, -from - 1)
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    local told = reason(entry)
    counts[told] = (counts[told] or 0) + 1
    bytes = bytes + #entry
  end
  seen = seen + #entries
end
local flat = {}
for told, count in pairs(counts) do
  flat[#flat + 1] = told
  flat[#flat + 1] = count
end
return { seen, flat }
