-- Shared by the scripts that claim jobs.

-- Of each claim its own, so that two attempts of one job are never taken for one another.
local function token_of(token, id)
  return token .. '/' .. id
end

-- Makes a job running whose id stands in `active`; returns its record as a flat list.
local function lease(queue, id, token, lease_ms, now)
  local key = job_key(id)
  -- Read and checked before the first write, and the index, which may be damaged, before the record: a script that fails
  -- half way is not rolled back.
  local attempt, first_started = unpack(redis.call('HMGET', key, 'attempt', 'firstStartedAt'))
  redis.call('ZADD', queue_key(queue, 'leases'), now + lease_ms, id)
  redis.call('HSET', key, 'state', 'running', 'token', token_of(token, id), 'attempt', (tonumber(attempt) or 0) + 1,
    'startedAt', now, 'firstStartedAt', first_started or now)
  return redis.call('HGETALL', key)
end
