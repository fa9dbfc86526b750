-- running -> completed | cancelled | dead | scheduled | parked, fenced by the token of the claim.
-- Jobs that the attempt enqueued are written here too: they exist exactly when the attempt counts.
-- KEYS root   ARGV queue, id, token, state, outcome, delayMs, spends ('1' when the attempt is spent), error,
--                  attempt report, keepMs, new jobs (see write_jobs)
-- Returns {'settled'}, {'stale'} when the lease is not ours any more, {'conflict', place}, or {'damaged', place}.
local queue, id, token, state, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local delay, spends, failure, report, keep_ms = tonumber(ARGV[6]) or 0, ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
-- A script that fails half way is not rolled back: what is no time is none.
if not (delay >= 0 and delay < math.huge) then
  delay = 0
end
local key = job_key(id)
local held = state_of(id) and redis.call('HMGET', key, 'token', 'settledBy', 'attempt', 'cancel', 'erase', 'error') or {}
local settled_by = token .. ' ' .. state .. ' ' .. outcome
if held[1] ~= token then
  -- Repeated because the answer was lost: it was written the first time. Another outcome is that of a handler that goes on
  -- although its worker, which drains, has given its job back.
  if held[2] == settled_by then
    return { 'settled' }
  end
  return { 'stale' }
end
local attempt, cancel, how, failed_before = tonumber(held[3]) or 1, held[4], held[5], held[6]
local now = now_ms()
if ARGV[11] then
  -- Fails here, and not between the children and the end of their parent, when these are of another type.
  redis.call('LLEN', queue_key(queue, 'active'))
  redis.call('ZCARD', queue_key(queue, 'leases'))
end
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
if cancel and (state == 'scheduled' or state == 'parked') then
  -- Asked to stop while it ran, and did not get done.
  state, outcome, failure = 'cancelled', 'cancelled', cancel
end
local written = { 'settledBy', settled_by }
local function write(field, value)
  written[#written + 1] = field
  written[#written + 1] = value
end
if failure ~= '' then
  write('error', failure)
elseif failed_before and ENDED[state] then
  redis.call('HDEL', key, 'error')
end
if report ~= '' then
  write('attempt:' .. attempt, report)
end
if spends ~= '1' then
  write('attempt', attempt - 1)
end

if ENDED[state] then
  finish(queue, id, state, outcome, now, keep_ms, written)
  return { 'settled' }
end
clear_suspicion(id, now)
redis.call('HDEL', key, 'token', 'crashes', 'cancel')
redis.call('HSET', key, 'state', state, 'outcome', outcome, unpack(written))
if state == 'parked' or delay > A_DAY_MS then
  -- For as long as it may wait: a parked job, until somebody notices.
  local envelope = decoded(redis.call('HGET', key, 'envelope'))
  if envelope and type(envelope.subject) == 'string' then
    keep_timeline(envelope.subject, SUBJECT_RETENTION_MS + (state == 'parked' and 365 * A_DAY_MS or delay))
  end
end
if state == 'scheduled' then
  redis.call('HSET', key, 'dueAt', now + delay)
  redis.call('ZADD', queue_key(queue, 'delayed'), now + delay, id)
else
  redis.call('ZADD', queue_key(queue, 'parked'), now, id)
end
return { 'settled' }
