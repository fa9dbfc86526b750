-- Tells the layout of what Redis holds; a process that is to work on it notes that of its release where there is none, or
-- an older one that it can work on.
-- KEYS root   ARGV layout of this release, oldest one that it can work on, '1' to note it
-- Returns what was found; '' when nothing was.
local ours, oldest = tonumber(ARGV[1]), tonumber(ARGV[2])
local text = redis.pcall('GET', root .. 'layout')
if type(text) == 'table' then
  return 'another type'
end
local found = tonumber(text or oldest)
if ARGV[3] == '1' and found and found >= oldest and found <= ours then
  redis.call('SET', root .. 'layout', ours)
end
return text or ''
