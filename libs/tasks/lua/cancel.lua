-- waiting | scheduled | blocked | parked -> cancelled. A running job is asked to stop: its worker learns of it with its
-- next heartbeat, and the job is cancelled when the attempt ends without having done its work.
-- KEYS root   ARGV id, reason as an error, keepMs
-- Returns {state before, state now}, or nothing when there is no such job. An ended job stays as it is.
local id, reason, keep_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local state = state_of(id)
if not state then
  return {}
end
local key = job_key(id)
local queue = redis.call('HGET', key, 'queue') or ''
local index = { scheduled = 'delayed', blocked = 'blocked', parked = 'parked' }
if state == 'running' then
  redis.call('HSET', key, 'cancel', reason)
  return { state, state }
elseif state == 'waiting' then
  redis.call('LREM', queue_key(queue, 'waiting'), 1, id)
  -- Popped and not claimed yet.
  redis.call('LREM', queue_key(queue, 'active'), 1, id)
  redis.call('ZREM', queue_key(queue, 'leases'), id)
elseif index[state] then
  redis.call('ZREM', queue_key(queue, index[state]), id)
else
  return { state, state }
end
redis.call('HSET', key, 'error', reason)
finish(queue, id, 'cancelled', 'cancelled', now_ms(), keep_ms)
return { state, 'cancelled' }
