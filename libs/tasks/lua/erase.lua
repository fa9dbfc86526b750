-- Erases what is stored about a subject: ended jobs lose their content, jobs that have not started are cancelled, and all
-- others are marked, to be erased when they end. What happened and when stays, and the audit log tells of the erasure.
-- KEYS root   ARGV subject, 'keep' | 'forget' (the subject itself), '1' to look only, keepMs of cancelled jobs, the last
--                  id that was seen or '', how many at most, then who does it (see note)
-- Returns a flat list, in order of acceptance: id, task, state, 'erased' | 'cancelled' | 'at-end' | 'done-before' | 'expired'.
local subject, how, looks_only, keep_ms = ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
local after, most = ARGV[5], tonumber(ARGV[6])
local timeline = root .. 'subject:' .. subject
local now = now_ms()
local UNSTARTED = { waiting = true, scheduled = true, blocked = true, parked = true }

local function action_for(state, queue, erased_at, envelope, found)
  if found == 'none' then
    return 'expired'
  elseif not (UNSTARTED[state] or state == 'running' or ENDED[state]) then
    -- No job of ours, but it may hold what was one.
    return erased_at and 'done-before' or 'erased'
  elseif ENDED[state] then
    local known = how == 'forget' and envelope and envelope.subject
    return erased_at and not known and 'done-before' or 'erased'
  end
  return UNSTARTED[state] and queue and 'cancelled' or 'at-end'
end

check_log()
-- By the id that was seen last, because what has gone leaves the timeline at its head. If that has, all before it have.
local seen = after ~= '' and redis.call('LPOS', timeline, after)
local first = seen and seen + 1 or 0
local ids = redis.call('LRANGE', timeline, first, first + most - 1)
local report, counts = {}, { erased = 0, cancelled = 0, ['at-end'] = 0 }
for _, id in ipairs(ids) do
  local key = job_key(id)
  -- Where there is no record the whole reply is one error, and nothing of it a field.
  local state, queue, erased_at, text = unpack(redis.pcall('HMGET', key, 'state', 'queue', 'erasedAt', 'envelope'))
  local envelope = decoded(text)
  local found = redis.call('TYPE', key).ok
  local action = action_for(state, queue, erased_at, envelope, found)
  if not looks_only then
    -- What was found once in place of its record.
    redis.call('DEL', root .. 'unreadable:' .. id)
    if found ~= 'hash' then
      redis.call('DEL', key)
    elseif action == 'erased' then
      erase(id, how, now)
      if how == 'forget' then
        redis.call('HDEL', key, 'lane')
      end
    elseif action == 'cancelled' then
      erase_unstarted(id, how, now, keep_ms)
    elseif action == 'at-end' then
      redis.call('HSET', key, 'erase', how)
    end
  end
  counts[action] = (counts[action] or 0) + 1
  for _, value in ipairs({ id, envelope and envelope.task or '', state or '', action }) do
    report[#report + 1] = value
  end
end
-- Only now: an id that is not on it any more would not be found again.
if how == 'forget' and not looks_only then
  redis.call('LTRIM', timeline, #ids, -1)
end

if not looks_only and counts.erased + counts.cancelled + counts['at-end'] > 0 then
  local object = how == 'forget' and 'a forgotten subject' or 'subject:' .. subject
  local done = 'erased ' .. counts.erased .. ', cancelled ' .. counts.cancelled .. ', at-end ' .. counts['at-end']
  note(7, now, 'erase', object, '', done)
end
return report
