-- Asks to make one call now: breaker, pause, concurrency, rate and retry budget in one.
-- KEYS root   ARGV name, windowMs, permit, leaseMs, successes since the last call of this process, retry ('1'), full ('1' when
--                  this process has no connection left), patienceMs, reserved ('1': rate and budget were passed before),
--                  probes, intervalMs (0: no rate limit), burst, maxConcurrent (0: no limit), budget share, budget per second
-- Returns {'granted', 1 when it is a probe else 0}, {'later', ms, reserved}: ask again then, or {'refused', reason, ms}: send the job away for that long.
local permit, lease, successes = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local retry, full, patience, reserved = ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8]), ARGV[9] == '1'
local max_probes, interval, burst, max_concurrent = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local budget_share, budget_per_second = tonumber(ARGV[14]), tonumber(ARGV[15])

-- The pace at which jobs come back, all together: each return costs a turn of the queue, and a downstream that has just
-- come back is not to be run over.
local RETURN_EVERY_MS = 10
local LEAST_WAIT_MS, LONGEST_LINE_MS = 1000, 300000
local CONCURRENCY_POLL_MS = 150

-- Jobs that are sent away line up to come back, the first after `wait`, each `pace` after the one before. Chance would
-- leave heaps and gaps. Beyond its longest the line begins anew, so that it grows denser.
local function refuse(reason, wait, pace)
  local line, first = 'line:' .. reason, now + wait
  local place = math.max(get(line) + pace, first)
  if place > first + LONGEST_LINE_MS then
    place = first
  end
  set(line, place)
  save()
  return { 'refused', reason, math.ceil(place - now) }
end

-- Not slower than calls are made now.
local function pace_of_calls()
  return math.min(RETURN_EVERY_MS, window / math.max(1, recent('tries') + recent('retries')))
end

if successes > 0 and get('pauses') > 0 then
  set('pauses', 0)
end

local probing = false
if get('openUntil') > now then
  return refuse('open', get('openUntil') - now, RETURN_EVERY_MS)
elseif get('openUntil') > 0 then
  checked(probes, redis.pcall('ZREMRANGEBYSCORE', probes, '-inf', now))
  if redis.call('ZCOUNT', probes, now, now + KEEP_MS) >= max_probes then
    return refuse('open', math.min(get('openMs'), LEAST_WAIT_MS), RETURN_EVERY_MS)
  end
  probing = true
else
  count('successes', successes)
end

if get('pausedUntil') > now then
  return refuse('paused', get('pausedUntil') - now, RETURN_EVERY_MS)
end
if full then
  return refuse('full', LEAST_WAIT_MS, pace_of_calls())
end

if max_concurrent > 0 then
  checked(permits, redis.pcall('ZREMRANGEBYSCORE', permits, '-inf', now))
  if redis.call('ZCOUNT', permits, now, now + KEEP_MS) >= max_concurrent then
    if patience > 0 then
      save()
      return { 'later', math.min(patience, CONCURRENCY_POLL_MS), reserved and 1 or 0 }
    end
    return refuse('concurrency', LEAST_WAIT_MS, pace_of_calls())
  end
end

if not reserved then
  -- A probe is the breaker's wish: it is no retry to be saved.
  if retry and not probing then
    local allowed = math.max(recent('tries') * budget_share, budget_per_second * window / 1000)
    if recent('retries') + 1 > allowed then
      return refuse('retry-budget', LEAST_WAIT_MS, window / allowed)
    end
  end
  -- GCRA: `tat` is when the calls made so far would have been due at an even pace.
  if interval > 0 then
    local tat = math.max(get('tat'), now)
    local wait = tat - (burst - 1) * interval - now
    if wait > patience then
      return refuse('rate', wait, interval)
    end
    set('tat', tat + interval)
    reserved = true
    if wait > 0 then
      count(retry and 'retries' or 'tries', 1)
      save()
      return { 'later', math.ceil(wait), 1 }
    end
  end
  count(retry and 'retries' or 'tries', 1)
end

if max_concurrent > 0 then
  redis.call('ZADD', permits, now + lease, permit)
  redis.call('PEXPIRE', permits, KEEP_MS)
end
if probing then
  redis.call('ZADD', probes, now + lease, permit)
  redis.call('PEXPIRE', probes, KEEP_MS)
end
save()
return { 'granted', probing and 1 or 0 }
