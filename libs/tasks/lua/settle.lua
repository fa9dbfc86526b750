-- running -> completed | cancelled | dead | scheduled | parked, fenced by the token of the claim.
-- Jobs that the attempt enqueued are written here too: they exist exactly when the attempt counts.
-- KEYS root   ARGV queue, id, token, state, outcome, delayMs, spends ('1' when the attempt is spent), error,
--                  attempt report, keepMs, new jobs (see write_jobs)
-- Returns {'settled'}, {'stale'} when the lease is not ours any more, or {'conflict', place}.
local queue, id, token, state, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local delay, spends, failure, report, keep_ms = tonumber(ARGV[6]) or 0, ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
-- A script that fails half way is not rolled back: what is no time is none.
if not (delay >= 0 and delay < math.huge) then
  delay = 0
end
local key = job_key(id)
local held = state_of(id) and redis.call('HMGET', key, 'token', 'settledBy', 'attempt', 'cancel', 'erase') or {}
if held[1] ~= token then
  -- Repeated because the answer was lost: it was written the first time.
  if held[2] == token then
    return { 'settled' }
  end
  return { 'stale' }
end
local attempt, cancel, how = tonumber(held[3]) or 1, held[4], held[5]
local now = now_ms()
-- No limit of depth: what comes of work that is done must be writable.
local receipts, refusal, place = write_jobs(11, now)
if not receipts then
  return { refusal, place }
end

-- Its subject was erased meanwhile: it does not run again, and neither do its children about the same subject.
if how then
  if state == 'scheduled' or state == 'parked' then
    state, outcome = 'cancelled', 'erased'
  end
  local envelope = decoded(redis.call('HGET', key, 'envelope'))
  for i = 11, #ARGV, NEW_JOB_FIELDS do
    if envelope and ARGV[i + 4] == envelope.subject then
      erase_unstarted(ARGV[i], how, now, keep_ms)
      if how == 'forget' then
        redis.call('LREM', root .. 'subject:' .. ARGV[i + 4], -1, ARGV[i])
      end
    end
  end
end

redis.call('LREM', queue_key(queue, 'active'), 0, id)
redis.call('ZREM', queue_key(queue, 'leases'), id)
redis.call('HDEL', key, 'token', 'crashes', 'cancel')
redis.call('HSET', key, 'settledBy', token)
if cancel and (state == 'scheduled' or state == 'parked') then
  -- Asked to stop while it ran, and did not get done.
  state, outcome, failure = 'cancelled', 'cancelled', cancel
end
if failure ~= '' then
  redis.call('HSET', key, 'error', failure)
end
if report ~= '' then
  redis.call('HSET', key, 'attempt:' .. attempt, report)
end
if spends ~= '1' then
  redis.call('HSET', key, 'attempt', attempt - 1)
end

if state == 'scheduled' then
  clear_suspicion(id, now)
  redis.call('HSET', key, 'state', state, 'outcome', outcome, 'dueAt', now + delay)
  redis.call('ZADD', queue_key(queue, 'delayed'), now + delay, id)
elseif state == 'parked' then
  clear_suspicion(id, now)
  redis.call('HSET', key, 'state', state, 'outcome', outcome)
  redis.call('ZADD', queue_key(queue, 'parked'), now, id)
else
  if failure == '' then
    redis.call('HDEL', key, 'error')
  end
  finish(queue, id, state, outcome, now, keep_ms)
end
return { 'settled' }
