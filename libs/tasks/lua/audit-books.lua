-- The books of a queue at one moment; changes nothing unless they are opened anew.
-- KEYS root   ARGV queue, '1' to open them anew: accepted becomes what is there
-- Returns accepted, waiting, scheduled, running, blocked, parked, completed, dead, cancelled.
local prefix = 'q:' .. ARGV[1] .. ':'

local function size(part)
  local kind = type_of(prefix .. part)
  return kind == 'list' and redis.call('LLEN', root .. prefix .. part)
    or kind == 'zset' and redis.call('ZCARD', root .. prefix .. part) or 0
end

local counts = {}
if type_of(prefix .. 'counts') == 'hash' then
  counts = redis.call('HMGET', root .. prefix .. 'counts', 'accepted', 'completed', 'dead', 'cancelled')
end
local waiting, running, seen = size('waiting'), 0, {}
if type_of(prefix .. 'active') == 'list' then
  for _, id in ipairs(redis.call('LRANGE', root .. prefix .. 'active', 0, -1)) do
    local job = read(id)
    if seen[id] or job and ENDED[job.state] then
      -- A leftover.
    elseif job and job.state == 'waiting' then
      waiting = waiting + 1
    else
      running = running + 1
    end
    seen[id] = true
  end
end
local books = { tonumber(counts[1]) or 0, waiting, size('delayed'), running, size('blocked'), size('parked'),
  tonumber(counts[2]) or 0, tonumber(counts[3]) or 0, tonumber(counts[4]) or 0 }
if ARGV[2] == '1' then
  books[1] = 0
  for i = 2, #books do
    books[1] = books[1] + books[i]
  end
  redis.call('HSET', root .. prefix .. 'counts', 'accepted', books[1])
end
return books
