-- Whether keys have the types that the other scripts rely on. A repair puts those that have not aside, as unreadable.
-- KEYS root   ARGV '1' to repair, then place and type of each
-- Returns of each the type that it has, or '' when that is right or there is none.
local told = {}
for i = 2, #ARGV, 2 do
  local place = ARGV[i]
  local kind = type_of(place)
  if kind == ARGV[i + 1] or kind == 'none' then
    kind = ''
  elseif ARGV[1] == '1' then
    local aside = root .. 'unreadable:' .. place
    if redis.call('RENAMENX', root .. place, aside) == 0 then
      redis.call('RENAME', root .. place, aside .. ':' .. now_ms())
    end
  end
  told[#told + 1] = kind
end
return told
