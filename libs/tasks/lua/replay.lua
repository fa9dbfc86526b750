-- dead -> waiting | blocked (at the end of its lane). The job begins anew: its attempts and its age count from now, and
-- finished steps are not run again. When it was accepted stays.
-- KEYS root   ARGV id, '' or when the dead letter that is meant ended, then who does it (see note)
-- Returns {state before, state now, why a dead letter stays one: 'erased' | 'incomplete' | 'changed', else ''}, or nothing
-- when there is no such job. A job in another state stays as it is, so that a repetition does nothing.
local id, ended = ARGV[1], ARGV[2]
check_log()
local state = state_of(id)
if not state then
  return {}
end
local key = job_key(id)
local queue, lane, text, payload, finished, erased = unpack(
  redis.call('HMGET', key, 'queue', 'lane', 'envelope', 'payload', 'finishedAt', 'erasedAt'))
if state ~= 'dead' then
  return { state, state, '' }
elseif ended ~= '' and ended ~= finished then
  return { state, state, 'changed' }
elseif erased then
  return { state, state, 'erased' }
elseif not (queue and text and payload) then
  return { state, state, 'incomplete' }
end
local now = now_ms()

-- Attempts are numbered from 1 again: the report of the last one stays before them, to be linked to.
local last, report = 0, nil
for _, field in ipairs(redis.call('HKEYS', key)) do
  local attempt = string.match(field, '^attempt:(%d*)')
  if attempt then
    attempt = tonumber(attempt) or 0
    if attempt >= last then
      last, report = attempt, redis.call('HGET', key, field)
    end
    redis.call('HDEL', key, field)
  end
end
if report then
  redis.call('HSET', key, 'attempt:0', report)
end

redis.call('ZREM', queue_key(queue, 'dead'), id)
count(queue, 'dead', -1)
redis.call('PERSIST', key)
-- `settledBy` stays: a worker that has lost the answer is still told that it has settled.
redis.call('HDEL', key, 'outcome', 'error', 'finishedAt', 'crashes', 'crashed', 'firstStartedAt')
redis.call('HSET', key, 'attempt', 0, 'dueAt', now, 'replayedAt', now)
local envelope = decoded(text)
if envelope and type(envelope.subject) == 'string' then
  keep_timeline(envelope.subject, SUBJECT_RETENTION_MS)
end
local replayed = lane and join_lane(lane_key(lane), queue, id, now) or put(queue, id, now, now)
note(3, now, 'replay', 'job:' .. id, 'dead', replayed)
return { 'dead', replayed, '' }
