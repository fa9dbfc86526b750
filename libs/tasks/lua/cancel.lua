-- waiting | scheduled | blocked | parked -> cancelled. A running job is asked to stop: its worker learns of it with its
-- next heartbeat, and the job is cancelled when the attempt ends without having done its work.
-- KEYS root   ARGV id, reason as an error, keepMs, then who does it (see note)
-- Returns {state before, state now}, or nothing when there is no such job. An ended job stays as it is.
local id, reason, keep_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
check_log()
local state = state_of(id)
if not state then
  return {}
end
local key, now = job_key(id), now_ms()
local queue = redis.call('HGET', key, 'queue') or ''
if withdraw(queue, id, state) then
  finish(queue, id, 'cancelled', 'cancelled', now, keep_ms, { 'error', reason })
  note(4, now, 'cancel', 'job:' .. id, state, 'cancelled')
  return { state, 'cancelled' }
end
if state == 'running' then
  redis.call('HSET', key, 'cancel', reason)
  note(4, now, 'cancel', 'job:' .. id, state, state)
end
return { state, state }
