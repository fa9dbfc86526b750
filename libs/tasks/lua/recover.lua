-- running -> waiting | dead | cancelled (erased), for every lease that has run out: the worker died, hangs, or lost its connection.
-- KEYS root   ARGV queue, graceMs, crashLimit, error of a job that reached it, keepMs, outageMs
-- Returns a flat list: id, 'waiting' | 'dead' | 'cancelled'.
local queue, grace, crash_limit, failure, keep_ms, outage_ms =
  ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local active, waiting, leases = queue_key(queue, 'active'), queue_key(queue, 'waiting'), queue_key(queue, 'leases')
local now = now_ms()

-- An id in `active` without a lease was popped by a worker that has not claimed it (yet): give it a moment.
for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
  if not redis.call('ZSCORE', leases, id) then
    redis.call('ZADD', leases, now + grace, id)
  end
end

-- Nobody has kept this queue for a while: Redis was away, and nobody could renew a lease. The living get time to do so.
local kept = queue_key(queue, 'kept')
local last = tonumber(redis.call('GET', kept) or 0)
redis.call('SET', kept, now)
if outage_ms > 0 and now - last > outage_ms then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now + outage_ms)) do
    redis.call('ZADD', leases, now + outage_ms, id)
  end
  return {}
end

local recovered = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
  local key = job_key(id)
  local state = redis.call('HGET', key, 'state')
  local crashes = (tonumber(redis.call('HGET', key, 'crashes')) or 0) + 1
  redis.call('ZREM', leases, id)
  local popped = redis.call('LREM', active, 0, id) > 0
  if state == 'running' then
    redis.call('HDEL', key, 'token')
    redis.call('HSET', key, 'crashes', crashes)
    popped = true
    local how = redis.call('HGET', key, 'erase')
    if how then
      finish(queue, id, 'cancelled', 'erased', now, keep_ms, how)
      recovered[#recovered + 1] = id
      recovered[#recovered + 1] = 'cancelled'
    elseif crashes >= crash_limit then
      redis.call('HSET', key, 'error', failure)
      finish(queue, id, 'dead', 'crashed-worker', now, keep_ms)
      recovered[#recovered + 1] = id
      recovered[#recovered + 1] = 'dead'
    else
      redis.call('HSET', key, 'state', 'waiting')
      state = 'waiting'
    end
  end
  if state == 'waiting' and popped then
    -- At the end that workers pop: it has waited longest.
    redis.call('RPUSH', waiting, id)
    recovered[#recovered + 1] = id
    recovered[#recovered + 1] = 'waiting'
  end
end
return recovered
