-- waiting -> running. bee-queue has moved an id from `waiting` to `active`; this takes its lease, and takes along as many
-- further jobs as the worker has free slots: one round trip serves them all. What is no job becomes a dead letter.
-- KEYS root   ARGV queue, token, leaseMs, popped id or '', how many more at most, '1' when repeated because an answer was
--                  lost, error of an unreadable record, how long its dead letter stays
-- Returns {now, {id, record as a flat list}, …}. A popped id that is only a leftover of a job elsewhere gives none.
-- Repeated with its token, it also returns the claims that were made.
local queue, token, lease_ms, popped, more, again, failure, keep_ms =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8])
local active, waiting = queue_key(queue, 'active'), queue_key(queue, 'waiting')
local now = now_ms()
local claims, seen = { now }, {}

if again == '1' then
  for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
    if not seen[id] and state_of(id) and redis.call('HGET', job_key(id), 'token') == token_of(token, id) then
      seen[id] = true
      claims[#claims + 1] = { id, redis.call('HGETALL', job_key(id)) }
    end
  end
end

local function claim(id)
  local state = state_of(id)
  if state == 'waiting' then
    claims[#claims + 1] = { id, lease(queue, id, token, lease_ms, now) }
  elseif state ~= 'running' then
    -- A running job has its own entry in `active`; for every other state this one is stale.
    redis.call('LREM', active, 0, id)
    if not state then
      bury(queue, id, failure, now, keep_ms)
    end
  end
end

-- Given back to the queue meanwhile, because this worker has taken too long: then it is not ours to claim.
if popped ~= '' and redis.call('LPOS', active, popped) then
  claim(popped)
end
for _ = 1, more do
  local id = redis.call('RPOPLPUSH', waiting, active)
  if not id then
    break
  end
  claim(id)
end
return claims
