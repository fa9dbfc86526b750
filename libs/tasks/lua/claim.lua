-- waiting -> running. bee-queue has moved the id from `waiting` to `active`; this takes the lease.
-- KEYS root   ARGV queue, id, token, leaseMs
-- Returns {now, record as a flat list}, or nil when the id is only a leftover of a job that is elsewhere.
-- Repeated with the same token, because an answer was lost, it returns the claim that was made.
local queue, id, token, lease_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key = job_key(id)
local state, holder = unpack(redis.call('HMGET', key, 'state', 'token'))
if state == 'running' and holder == token then
  return { now_ms(), redis.call('HGETALL', key) }
end
if state ~= 'waiting' then
  -- A running job has its own entry in `active`; for every other state this one is stale.
  if state ~= 'running' then
    redis.call('LREM', queue_key(queue, 'active'), 0, id)
  end
  return false
end
local now = now_ms()
redis.call('HINCRBY', key, 'attempt', 1)
redis.call('HSET', key, 'state', 'running', 'token', token, 'startedAt', now)
redis.call('ZADD', queue_key(queue, 'leases'), now + lease_ms, id)
return { now, redis.call('HGETALL', key) }
