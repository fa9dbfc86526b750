-- scheduled -> waiting, for every job that is due.
-- KEYS root   ARGV queue, how many at most
-- Returns how many were moved.
local queue = ARGV[1]
local delayed = queue_key(queue, 'delayed')
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now_ms(), 'LIMIT', 0, tonumber(ARGV[2]))
for _, id in ipairs(due) do
  redis.call('ZREM', delayed, id)
  if redis.call('HGET', job_key(id), 'state') == 'scheduled' then
    redis.call('HSET', job_key(id), 'state', 'waiting')
    redis.call('LPUSH', queue_key(queue, 'waiting'), id)
  end
end
return #due
