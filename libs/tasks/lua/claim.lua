-- waiting -> running. bee-queue has moved an id from `waiting` to `active`; this takes its lease, and takes along as many
-- further jobs as the worker has free slots: one round trip serves them all. What is no job becomes a dead letter.
-- KEYS root   ARGV queue, token, leaseMs, popped id or '', how many more at most, '1' when repeated because an answer was
--                  lost, error of an unreadable record, how long its dead letter stays
-- Returns {now, {id, record as a flat list}, …}. A popped id that is only a leftover of a job elsewhere gives none.
-- Repeated with its token, it also returns the claims that were made.
local queue, token, lease_ms, popped, more, again, failure, keep_ms =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8])
local active, waiting, leases = queue_key(queue, 'active'), queue_key(queue, 'waiting'), queue_key(queue, 'leases')
local now = now_ms()
local claims, seen = { now }, {}

-- Of each claim its own, so that two attempts of one job are never taken for one another.
local function token_of(id)
  return token .. '/' .. id
end

if again == '1' then
  for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
    if not seen[id] and state_of(id) and redis.call('HGET', job_key(id), 'token') == token_of(id) then
      seen[id] = true
      claims[#claims + 1] = { id, redis.call('HGETALL', job_key(id)) }
    end
  end
end

local function claim(id)
  local key = job_key(id)
  local state = state_of(id)
  if state == 'waiting' then
    -- Read and checked before the first write: a script that fails half way is not rolled back.
    local attempt, first_started = unpack(redis.call('HMGET', key, 'attempt', 'firstStartedAt'))
    redis.call('HSET', key, 'state', 'running', 'token', token_of(id), 'attempt', (tonumber(attempt) or 0) + 1,
      'startedAt', now, 'firstStartedAt', first_started or now)
    redis.call('ZADD', leases, now + lease_ms, id)
    claims[#claims + 1] = { id, redis.call('HGETALL', key) }
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
