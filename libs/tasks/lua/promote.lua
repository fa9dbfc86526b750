-- scheduled -> waiting, for jobs that are due.
-- KEYS root   ARGV queue, how many at most, error of an unreadable record, how long its dead letter stays
-- Returns how many were moved.
local queue = ARGV[1]
local delayed = queue_key(queue, 'delayed')
local now = now_ms()
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]))
for _, id in ipairs(due) do
  redis.call('ZREM', delayed, id)
  local state = state_of(id)
  if state == 'scheduled' then
    put(queue, id, now, now)
  elseif not state then
    bury(queue, id, ARGV[3], now, tonumber(ARGV[4]))
  end
end
return #due
