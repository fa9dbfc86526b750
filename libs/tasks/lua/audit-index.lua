-- Whether keys have the types that the other scripts rely on. A repair puts those that have not aside, as unreadable.
-- KEYS root   ARGV '1' to repair, then place and type of each
-- Returns of each the type that it has, or '' when that is right or there is none.
-- Counts that are none cannot be gone on with.
local function has_other_than_numbers(place)
  for _, value in ipairs(redis.call('HVALS', root .. place)) do
    if not string.match(value, '^-?%d+$') then
      return true
    end
  end
  return false
end

local told = {}
for i = 2, #ARGV, 2 do
  local place = ARGV[i]
  local kind = type_of(place)
  if kind == 'hash' and string.find(place, '^q:.*:counts$') and has_other_than_numbers(place) then
    kind = 'hash of other things than numbers'
  end
  if kind == ARGV[i + 1] or kind == 'none' then
    kind = ''
  elseif ARGV[1] == '1' then
    put_aside(place)
  end
  told[#told + 1] = kind
end
return told
