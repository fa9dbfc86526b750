-- running -> waiting | blocked | cancelled | dead, for leases that have run out: the worker died, hangs, or lost its
-- connection. A job that was running in such a worker for the last time but one before the crash limit is a suspect: it
-- runs when no other suspect does, so that one that takes workers down does not take its neighbours to the limit.
-- KEYS root   ARGV queue, graceMs, crashLimit, error of a job that reached it, keepMs, outageMs, how many at most,
--                  error of an unreadable record, report of the attempts that did not end, or ''
-- Returns a flat list: id, its state, and its envelope or ''.
local queue, grace, crash_limit, crashed, keep_ms, outage_ms, limit, unreadable, report =
  ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local active, waiting, leases = queue_key(queue, 'active'), queue_key(queue, 'waiting'), queue_key(queue, 'leases')
local now = now_ms()
local NOT_KEPT_MS = 60000

-- What is no time is none.
local function time_at(place)
  local text = redis.pcall('GET', place)
  return type(text) == 'string' and tonumber(text) or 0
end

-- An id in `active` without a lease was popped by a worker that has not claimed it (yet): give it a moment.
for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
  if not redis.call('ZSCORE', leases, id) then
    redis.call('ZADD', leases, now + grace, id)
  end
end

-- Nobody has kept this queue for a while: Redis was away, and nobody could renew a lease. The living get time to do so.
local kept = queue_key(queue, 'kept')
local last = time_at(kept)
redis.call('SET', kept, now)
local late = outage_ms > 0 and now - last > outage_ms
-- Not for ever: a worker that is too busy to come by in time would else never take back what another one has left.
local graced = late and queue_key(queue, 'graced')
if late and (redis.call('SET', graced, now, 'PX', 6 * outage_ms, 'NX')
    or now - time_at(graced) <= 3 * outage_ms) then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now + outage_ms)) do
    redis.call('ZADD', leases, now + outage_ms, id)
  end
  return {}
end

-- A suspect of a queue that no worker takes jobs from must not hold up those of the others.
local suspect = redis.pcall('LINDEX', SUSPECTS, 0)
-- Of another type it holds up suspects, until it is mended, and not the jobs of every queue.
suspect = type(suspect) == 'string' and suspect
local its_queue = suspect and state_of(suspect) and redis.call('HGET', job_key(suspect), 'queue')
if its_queue and its_queue ~= queue and now - time_at(queue_key(its_queue, 'kept')) > NOT_KEPT_MS then
  clear_suspicion(suspect, now)
end

local function take_back(id, key)
  local crashes, cancel, attempt, crashed_ever = unpack(redis.call('HMGET', key, 'crashes', 'cancel', 'attempt', 'crashed'))
  crashes = (tonumber(crashes) or 0) + 1
  -- Of all attempts, and not of those since the last settlement only, which is what releases before this one have counted.
  crashed_ever = math.max((tonumber(crashed_ever) or 0) + 1, crashes)
  -- In place of what the attempt would have reported itself: the one after it finds it.
  local reported = report ~= '' and { 'attempt:' .. (tonumber(attempt) or 1), report } or {}
  if cancel then
    finish(queue, id, 'cancelled', 'cancelled', now, keep_ms, { 'error', cancel })
    return 'cancelled'
  end
  if redis.call('HEXISTS', key, 'erase') == 1 then
    finish(queue, id, 'cancelled', 'erased', now, keep_ms)
    return 'cancelled'
  end
  if crashes >= crash_limit then
    finish(queue, id, 'dead', 'crashed-worker', now, keep_ms, { 'error', crashed, unpack(reported) })
    return 'dead'
  end
  redis.call('HDEL', key, 'token')
  redis.call('HSET', key, 'crashes', crashes, 'crashed', crashed_ever, unpack(reported))
  if crashes == crash_limit - 1 then
    redis.call('HSET', key, 'suspect', 1)
    return join_lane(SUSPECTS, queue, id, now)
  end
  return put(queue, id, now, now, true)
end

local recovered = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, limit)) do
  local state = state_of(id)
  redis.call('ZREM', leases, id)
  local popped = redis.call('LREM', active, 0, id) > 0
  local became
  if state == 'running' then
    became = take_back(id, job_key(id))
  elseif state == 'waiting' and popped then
    became = put(queue, id, now, now, true)
  elseif not state then
    bury(queue, id, unreadable, now, keep_ms)
    became = 'dead'
  end
  if became then
    recovered[#recovered + 1] = id
    recovered[#recovered + 1] = became
    recovered[#recovered + 1] = redis.call('HGET', job_key(id), 'envelope') or ''
  end
end
return recovered
