-- Shared by every transition: key names, the server's clock, and how a job is written, put on its queue and ended.
--
-- All keys start with one hash tag, so a Redis Cluster keeps them in one slot and every script stays atomic.
-- The record (root .. 'job:' .. id, a HASH) is the truth; lists and sorted sets are indexes into it.

local root = KEYS[1]

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

-- Due times and leases use this clock only: workers' clocks may be wrong by hours.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(queue, what, by)
  redis.call('HINCRBY', queue_key(queue, 'counts'), what, by)
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

-- The state of a job; nil when there is no record, or one that is no job. What stood in its place is put aside.
local function state_of(id)
  local state = redis.pcall('HGET', job_key(id), 'state')
  if type(state) == 'table' then
    redis.call('RENAME', job_key(id), root .. 'unreadable:' .. id)
    return nil
  end
  return state or nil
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

-- Timelines are for people: of a subject with more jobs than this the oldest are left out.
local SUBJECT_JOBS = 1000
-- Keeps the timeline of a subject at least as long as the longest-lived record on it.
local SUBJECT_RETENTION_MS = 31 * 24 * 3600 * 1000

local NEW_JOB_FIELDS = 10

local function depth(queue)
  return redis.call('LLEN', queue_key(queue, 'waiting')) + redis.call('ZCARD', queue_key(queue, 'delayed'))
    + redis.call('ZCARD', queue_key(queue, 'blocked'))
end

-- Writes the jobs described by ARGV[first..], NEW_JOB_FIELDS values each:
--   id, queue, envelope, payload, subject, delayMs, lane or '', idempotency key or '', fingerprint, dedupeMs
-- All or nothing. When a key is held by a job with another fingerprint (an empty one fits all) the result is nil,
-- 'conflict' and the place of that job in the list; when a queue holds `max_depth` jobs it is nil, 'full' and the place.
-- Else a flat list: id, 1 if duplicate else 0, state.
local function write_jobs(first, now, max_depth)
  local held, fingerprints, room = {}, {}, {}
  for i = first, #ARGV, NEW_JOB_FIELDS do
    local queue, key = ARGV[i + 1], ARGV[i + 7]
    local holder = false
    if key ~= '' then
      holder = redis.call('GET', root .. 'key:' .. key)
      local known = fingerprints[key]
      if holder then
        held[key], known = string.match(holder, '^(%S+) (.*)$')
      end
      if known and known ~= '' and ARGV[i + 8] ~= '' and known ~= ARGV[i + 8] then
        return nil, 'conflict', (i - first) / NEW_JOB_FIELDS
      end
      fingerprints[key] = ARGV[i + 8]
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
      receipts[#receipts + 1] = redis.call('HGET', job_key(holder), 'state') or 'completed'
    else
      redis.call('HSET', job_key(id), 'queue', queue, 'envelope', ARGV[i + 2], 'payload', ARGV[i + 3],
        'createdAt', now, 'dueAt', due, 'attempt', 0)
      if key ~= '' then
        redis.call('SET', root .. 'key:' .. key, id .. ' ' .. ARGV[i + 8], 'PX', ARGV[i + 9])
        held[key] = id
      end
      if ARGV[i + 4] ~= '' then
        local subject = root .. 'subject:' .. ARGV[i + 4]
        if redis.call('RPUSH', subject, id) > SUBJECT_JOBS then
          redis.call('LPOP', subject)
        end
        redis.call('PEXPIRE', subject, SUBJECT_RETENTION_MS)
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

-- Ends a job: its payload and the results of its steps go, a small record stays for `keep_ms`.
local function finish(queue, id, state, reason, now, keep_ms)
  local key = job_key(id)
  redis.call('HSET', key, 'state', state, 'outcome', reason, 'finishedAt', now)
  redis.call('PEXPIRE', key, keep_ms)
  count(queue, state, 1)
  if state == 'dead' then
    redis.call('ZADD', queue_key(queue, 'dead'), now, id)
    redis.call('ZREMRANGEBYSCORE', queue_key(queue, 'dead'), '-inf', now - keep_ms)
  else
    redis.call('HDEL', key, 'payload')
  end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if field == 'lane' then
      leave_lane(lane_key(redis.call('HGET', key, 'lane')), id, now)
    elseif field == 'suspect' then
      clear_suspicion(id, now)
    elseif state ~= 'dead' and string.sub(field, 1, 5) == 'step:' then
      redis.call('HSET', key, field, string.match(redis.call('HGET', key, field), '^%d+') or '')
    end
  end
end

-- Makes a dead letter of an id whose record is gone or damaged, so that somebody sees it.
local function bury(queue, id, failure, now, keep_ms)
  redis.call('HSET', job_key(id), 'queue', queue, 'createdAt', now, 'dueAt', now, 'attempt', 0, 'error', failure)
  finish(queue, id, 'dead', 'unreadable', now, keep_ms)
end
