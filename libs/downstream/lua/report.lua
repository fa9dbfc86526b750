-- Says how a call ended. Moves the breaker: closed -> open by failures, half-open -> closed or open by its probe.
-- KEYS root   ARGV name, windowMs, permit, outcome ('success', 'failure', or 'neutral' when it says nothing about the downstream),
--                  successes since the last call of this process, pauseMs ('': the downstream asked for none, 0: it named
--                  no time), leastPauseMs, mostPauseMs, failures, failure share, openMs, maxOpenMs, jitter (a factor for
--                  the time that it is open)
-- Returns 'opened', 'closed' or '' as the breaker moved; a failed probe goes on with what is open.
local permit, outcome, successes, pause = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local least_pause, most_pause = tonumber(ARGV[7]), tonumber(ARGV[8])
local failures, share = tonumber(ARGV[9]), tonumber(ARGV[10])
local open_ms, max_open_ms, jitter = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])

checked(permits, redis.pcall('ZREM', permits, permit))
-- Only who holds a probe speaks for the downstream: calls from before it opened, and probes given up, do not.
local probed = checked(probes, redis.pcall('ZREM', probes, permit)) == 1
local moved = ''

local function open()
  set('openings', get('openings') + 1)
  set('openMs', math.min(open_ms * 2 ^ (get('openings') - 1), max_open_ms) * jitter)
  set('openUntil', now + get('openMs'))
  forget('failures')
  forget('successes')
  redis.call('DEL', probes)
end

if pause then
  -- Calls that were under way when a pause began do not make the next one longer.
  if get('pausedUntil') <= now then
    set('pauses', get('pauses') + 1)
    pause = math.max(pause, math.min(least_pause * 2 ^ (get('pauses') - 1), most_pause))
  end
  set('pausedUntil', math.max(get('pausedUntil'), now + pause))
elseif get('pauses') > 0 and (outcome == 'success' or successes > 0) then
  set('pauses', 0)
end
if get('openUntil') == 0 then
  count('successes', successes + (outcome == 'success' and 1 or 0))
  if outcome == 'failure' then
    count('failures', 1)
    local failed = recent('failures')
    if failed >= failures and failed >= share * (failed + recent('successes')) then
      open()
      moved = 'opened'
    end
  end
elseif probed and outcome == 'failure' then
  open()
elseif probed and outcome == 'success' then
  set('openUntil', 0)
  set('openings', 0)
  set('line:open', 0)
  redis.call('DEL', probes)
  moved = 'closed'
end
save()
return moved
