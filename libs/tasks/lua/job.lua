-- Shared by every transition: key names, the server's clock, and how a job is written, put on its queue and ended.
--
-- All keys start with one hash tag, so a Redis Cluster keeps them in one slot and every script stays atomic.
-- The record (root .. 'job:' .. id, a HASH) is the truth; lists and sorted sets are indexes into it.

local root = KEYS[1]

-- How long the audit log remembers: longer than the three years after which most claims lapse in the EU.
local AUDIT_MS = 4 * 365 * 24 * 3600 * 1000

local function job_key(id)
  return root .. 'job:' .. id
end

local function queue_key(queue, part)
  return root .. 'q:' .. queue .. ':' .. part
end

local function lane_key(lane)
  return root .. 'lane:' .. lane
end

-- Jobs under suspicion of taking workers down run one at a time, over all queues: this is their lane.
local SUSPECTS = root .. 'suspects'

local ENDED = { completed = true, cancelled = true, dead = true }
local LIVING = { waiting = true, scheduled = true, running = true, blocked = true, parked = true }

-- Due times and leases use this clock only: workers' clocks may be wrong by hours.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Books that are damaged do not hold up jobs: the audit says that they do not balance.
local function count(queue, what, by)
  redis.pcall('HINCRBY', queue_key(queue, 'counts'), what, by)
end

-- Fails where `note` would, before anything is written: a script that fails half way is not rolled back.
local function check_log()
  redis.call('XLEN', root .. 'audit-log')
end

-- Writes to the audit log what somebody does by hand. The script that makes a change calls it, so that neither is ever there
-- without the other. ARGV[first] and what follows says who does it: by, why, id of the request, release.
local function note(first, now, action, object, before, after)
  redis.call('XADD', root .. 'audit-log', 'MINID', '~', now - AUDIT_MS, '*', 'by', ARGV[first], 'action', action,
    'object', object, 'why', ARGV[first + 1], 'before', before, 'after', after, 'requestId', ARGV[first + 2],
    'release', ARGV[first + 3])
end

-- Puts a job on its queue, to run at `due`; `first` before all that wait.
local function put(queue, id, due, now, first)
  if due > now then
    redis.call('HSET', job_key(id), 'state', 'scheduled')
    redis.call('ZADD', queue_key(queue, 'delayed'), due, id)
    return 'scheduled'
  end
  redis.call('HSET', job_key(id), 'state', 'waiting')
  redis.call(first and 'RPUSH' or 'LPUSH', queue_key(queue, 'waiting'), id)
  return 'waiting'
end

-- The state of a job; nil when there is no record, or none that can be read. What stood in its place is put aside.
local function state_of(id)
  local state = redis.pcall('HGET', job_key(id), 'state')
  if type(state) == 'table' then
    redis.call('RENAME', job_key(id), root .. 'unreadable:' .. id)
    return nil
  end
  return (LIVING[state] or ENDED[state]) and state or nil
end

-- Lets the one at the head of a lane run. Ids without a living job, which only a damaged Redis holds, do not hold it up.
local function unblock_head(lane, now)
  while true do
    local id = redis.call('LINDEX', lane, 0)
    local state = id and state_of(id)
    if state == 'blocked' then
      local job = redis.call('HMGET', job_key(id), 'queue', 'dueAt', 'suspect')
      -- A suspect at the head of another lane still waits for its turn among the suspects.
      if lane == SUSPECTS or not job[3] then
        redis.call('ZREM', queue_key(job[1], 'blocked'), id)
        put(job[1], id, tonumber(job[2]) or now, now, lane == SUSPECTS)
      end
    end
    if not id or state and not ENDED[state] then
      return
    end
    redis.call('LPOP', lane)
  end
end

-- Takes a place at the end of a lane; only the job at its head may run. Returns the state of the job.
local function join_lane(lane, queue, id, now)
  redis.call('HSET', job_key(id), 'state', 'blocked')
  redis.call('ZADD', queue_key(queue, 'blocked'), now, id)
  redis.call('RPUSH', lane, id)
  unblock_head(lane, now)
  return redis.call('HGET', job_key(id), 'state')
end

local function leave_lane(lane, id, now)
  redis.call('LREM', lane, 1, id)
  unblock_head(lane, now)
end

-- Once an attempt has ended, whichever way, its job is above suspicion.
local function clear_suspicion(id, now)
  if redis.call('HDEL', job_key(id), 'suspect') == 1 then
    leave_lane(SUSPECTS, id, now)
  end
end

local A_DAY_MS = 24 * 3600 * 1000
-- How long the timeline of a subject stays after each job, at least.
local SUBJECT_RETENTION_MS = 31 * A_DAY_MS
-- A shorter timeline may hold ids whose records have gone; a longer one is cleared of them as it grows.
local SHORT_TIMELINE = 50

-- Keeps the timeline of a subject, and never for less long than was asked before: what is not on it is not found when the
-- subject is to be erased.
local function keep_timeline(subject, ms)
  local timeline = root .. 'subject:' .. subject
  redis.call('PEXPIRE', timeline, math.max(ms, redis.call('PTTL', timeline)))
end

local function join_timeline(subject, id, delay)
  local timeline = root .. 'subject:' .. subject
  local length = redis.call('RPUSH', timeline, id)
  -- Two for each that comes: so it gets shorter, by little work at a time.
  for _ = 1, length > SHORT_TIMELINE and 2 or 0 do
    if redis.call('EXISTS', job_key(redis.call('LINDEX', timeline, 0))) == 1 then
      break
    end
    redis.call('LPOP', timeline)
  end
  keep_timeline(subject, SUBJECT_RETENTION_MS + delay)
end

-- A fingerprint is `<key id>:<mac>`, or a bare hash where no keys are set; that of a later version of the payload has its
-- version in front, `v2/<key id>:<mac>`. One comes for each key of the sender, separated by commas, the one to store first.
local function to_store(sent)
  return string.match(sent, '^[^,]*')
end

local function scope_of(fingerprint)
  return string.match(fingerprint, '^(.*):') or ''
end

-- Compares under the key and version of the stored one; where the sender has another, nothing speaks for another content.
local function another_content(stored, sent)
  for fingerprint in string.gmatch(sent, '[^,]+') do
    if stored ~= '' and scope_of(fingerprint) == scope_of(stored) then
      return fingerprint ~= stored
    end
  end
  return false
end

-- Id and fingerprint of the job that holds a key; nil where what stands there is neither, and nobody can tell which job it was.
local function holder_of(stored)
  return string.match(type(stored) == 'string' and stored or '', '^([%w_-]+) ([%w%p]*)$')
end

local function is_list(place)
  return type(redis.pcall('LLEN', place)) == 'number'
end

local NEW_JOB_FIELDS = 10

local function depth(queue)
  return redis.call('LLEN', queue_key(queue, 'waiting')) + redis.call('ZCARD', queue_key(queue, 'delayed'))
    + redis.call('ZCARD', queue_key(queue, 'blocked'))
end

-- Writes the jobs described by ARGV[first..], NEW_JOB_FIELDS values each:
--   id, queue, envelope, payload, subject, delayMs, lane or '', idempotency key or '', fingerprints, dedupeMs
-- All or nothing. When a key is held by a job with another fingerprint (an empty one fits all) the result is nil,
-- 'conflict' and the place of that job in the list; when a queue holds `max_depth` jobs it is nil, 'full' and the place;
-- when its timeline or lane is none, or nobody can tell which job holds its key, it is nil, 'damaged' and the place.
-- Else a flat list: id, 1 if duplicate else 0, state.
local function write_jobs(first, now, max_depth)
  local held, fingerprints, room = {}, {}, {}
  for i = first, #ARGV, NEW_JOB_FIELDS do
    local queue, subject, lane, key = ARGV[i + 1], ARGV[i + 4], ARGV[i + 6], ARGV[i + 7]
    -- A script that fails half way is not rolled back: what is damaged is found here, before anything is written.
    if subject ~= '' and not is_list(root .. 'subject:' .. subject) or lane ~= '' and not is_list(lane_key(lane)) then
      return nil, 'damaged', (i - first) / NEW_JOB_FIELDS
    end
    local holder = false
    if key ~= '' then
      holder = redis.pcall('GET', root .. 'key:' .. key)
      local known = fingerprints[key]
      if holder then
        held[key], known = holder_of(holder)
        if not held[key] then
          return nil, 'damaged', (i - first) / NEW_JOB_FIELDS
        end
      end
      if known and another_content(known, ARGV[i + 8]) then
        return nil, 'conflict', (i - first) / NEW_JOB_FIELDS
      end
      fingerprints[key] = to_store(ARGV[i + 8])
    end
    if max_depth and not holder then
      room[queue] = (room[queue] or max_depth - depth(queue)) - 1
      if room[queue] < 0 then
        return nil, 'full', (i - first) / NEW_JOB_FIELDS
      end
    end
  end

  local receipts = {}
  for i = first, #ARGV, NEW_JOB_FIELDS do
    local id, queue, lane, key = ARGV[i], ARGV[i + 1], ARGV[i + 6], ARGV[i + 7]
    local due = now + tonumber(ARGV[i + 5])
    local holder = key ~= '' and held[key]
    if holder then
      receipts[#receipts + 1] = holder
      receipts[#receipts + 1] = 1
      receipts[#receipts + 1] = state_of(holder) or 'completed'
    else
      redis.call('HSET', job_key(id), 'queue', queue, 'envelope', ARGV[i + 2], 'payload', ARGV[i + 3],
        'createdAt', now, 'dueAt', due, 'attempt', 0)
      if key ~= '' then
        redis.call('HSET', job_key(id), 'key', key)
        redis.call('SET', root .. 'key:' .. key, id .. ' ' .. to_store(ARGV[i + 8]), 'PX', ARGV[i + 9])
        held[key] = id
      end
      if ARGV[i + 4] ~= '' then
        join_timeline(ARGV[i + 4], id, due - now)
      end
      local state
      if lane ~= '' then
        redis.call('HSET', job_key(id), 'lane', lane)
        state = join_lane(lane_key(lane), queue, id, now)
      else
        state = put(queue, id, due, now)
      end
      count(queue, 'accepted', 1)
      receipts[#receipts + 1] = id
      receipts[#receipts + 1] = 0
      receipts[#receipts + 1] = state
    end
  end
  return receipts
end

-- Leaves of a job what happened and when: its payload and the results of its steps go.
local function drop_content(key)
  redis.call('HDEL', key, 'payload')
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 5) == 'step:' then
      redis.call('HSET', key, field, string.match(redis.call('HGET', key, field), '^%d+') or '')
    end
  end
end

-- A table, or nil for what is none: a record may be damaged.
local function decoded(text)
  local read, value = pcall(cjson.decode, text or '')
  return read and type(value) == 'table' and value or nil
end

-- Drops all that may tell of a person: the content, the message of the error, and the fingerprint of the payload. The
-- idempotency key stays, or a repeated webhook would bring the data back. With how = 'forget' the subject goes too.
local function erase(id, how, now)
  local key = job_key(id)
  local failure, envelope = decoded(redis.call('HGET', key, 'error')), decoded(redis.call('HGET', key, 'envelope'))
  local dedupe = redis.call('HGET', key, 'key')
  drop_content(key)
  if failure then
    redis.call('HSET', key, 'error', cjson.encode({ code = failure.code, message = 'erased' }))
  else
    redis.call('HDEL', key, 'error')
  end
  if dedupe and holder_of(redis.pcall('GET', root .. 'key:' .. dedupe)) == id then
    redis.call('SET', root .. 'key:' .. dedupe, id .. ' ', 'KEEPTTL')
  end
  if how == 'forget' or envelope and envelope.fault then
    if envelope then
      envelope.subject = how ~= 'forget' and envelope.subject or nil
      -- It may quote the payload, as the message of the error does.
      envelope.fault = envelope.fault and 'erased'
    end
    redis.call('HSET', key, 'envelope', envelope and cjson.encode(envelope) or '')
  end
  redis.call('HDEL', key, 'erase')
  redis.call('HSET', key, 'erasedAt', now)
end

-- Ends a job: its payload and the results of its steps go, a small record stays for `keep_ms`. One that carries the field
-- `erase` is erased as well. `written` lists further fields and values: each write of a script costs a command of the
-- append-only file, so what goes to one record goes in one.
local function finish(queue, id, state, reason, now, keep_ms, written)
  local key = job_key(id)
  redis.call('HSET', key, 'state', state, 'outcome', reason, 'finishedAt', now, unpack(written or {}))
  redis.call('PEXPIRE', key, keep_ms)
  count(queue, state, 1)
  if state == 'dead' then
    redis.call('HDEL', key, 'token', 'crashes', 'cancel')
    redis.call('ZADD', queue_key(queue, 'dead'), now, id)
    redis.call('ZREMRANGEBYSCORE', queue_key(queue, 'dead'), '-inf', now - keep_ms)
    -- Its content stays, and is found by the timeline when the subject is to be erased.
    local envelope = decoded(redis.call('HGET', key, 'envelope'))
    if envelope and type(envelope.subject) == 'string' then
      keep_timeline(envelope.subject, keep_ms + A_DAY_MS)
    end
  else
    redis.call('HDEL', key, 'token', 'crashes', 'cancel', 'payload')
  end
  local has = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    has[field] = true
    if state ~= 'dead' and string.sub(field, 1, 5) == 'step:' then
      redis.call('HSET', key, field, string.match(redis.call('HGET', key, field), '^%d+') or '')
    end
  end
  -- Before the lanes, which may be damaged.
  local how = has.erase and redis.call('HGET', key, 'erase')
  if how then
    erase(id, how, now)
  end
  if has.suspect then
    clear_suspicion(id, now)
  end
  if has.lane then
    leave_lane(lane_key(redis.call('HGET', key, 'lane')), id, now)
    if how == 'forget' then
      redis.call('HDEL', key, 'lane')
    end
  end
end

-- Takes a job that does not run out of the index it stands in; false for one that runs or has ended.
local function withdraw(queue, id, state)
  local index = ({ scheduled = 'delayed', blocked = 'blocked', parked = 'parked' })[state]
  if index then
    redis.call('ZREM', queue_key(queue, index), id)
  elseif state == 'waiting' then
    -- From the end at which the oldest are; if it is not there it was popped, and is not claimed yet.
    if redis.call('LREM', queue_key(queue, 'waiting'), -1, id) == 0 then
      redis.call('LREM', queue_key(queue, 'active'), 1, id)
      redis.call('ZREM', queue_key(queue, 'leases'), id)
    end
  end
  return index ~= nil or state == 'waiting'
end

-- waiting | scheduled | blocked | parked -> cancelled, and erased; false for a job in another state.
local function erase_unstarted(id, how, now, keep_ms)
  local state, queue = unpack(redis.call('HMGET', job_key(id), 'state', 'queue'))
  if not queue or not withdraw(queue, id, state) then
    return false
  end
  redis.call('HSET', job_key(id), 'erase', how)
  finish(queue, id, 'cancelled', 'erased', now, keep_ms)
  return true
end

-- Makes a dead letter of an id whose record is gone or damaged, so that somebody sees it.
local function bury(queue, id, failure, now, keep_ms)
  redis.call('HSET', job_key(id), 'queue', queue, 'createdAt', now, 'dueAt', now, 'attempt', 0, 'error', failure)
  finish(queue, id, 'dead', 'unreadable', now, keep_ms)
end
