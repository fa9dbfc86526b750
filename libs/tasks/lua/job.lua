-- Shared by every transition: key names, the server's clock, and how a job is written.
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

-- Due times and leases use this clock only: workers' clocks may be wrong by hours.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(queue, what, by)
  redis.call('HINCRBY', queue_key(queue, 'counts'), what, by)
end

-- Keeps the timeline of a subject at least as long as the longest-lived record on it.
local SUBJECT_RETENTION_MS = 31 * 24 * 3600 * 1000

-- A fingerprint is `<key id>:<mac>`, or a bare hash where no keys are set. One comes for each key of the sender, separated
-- by commas, the one to store first.
local function to_store(sent)
  return string.match(sent, '^[^,]*')
end

local function key_of(fingerprint)
  return string.match(fingerprint, '^(.*):') or ''
end

-- Compares under the key of the stored one; where the sender has not got it, nothing speaks for another content.
local function another_content(stored, sent)
  for fingerprint in string.gmatch(sent, '[^,]+') do
    if stored ~= '' and key_of(fingerprint) == key_of(stored) then
      return fingerprint ~= stored
    end
  end
  return false
end

local NEW_JOB_FIELDS = 9

-- Writes the jobs described by ARGV[first..], NEW_JOB_FIELDS values each:
--   id, queue, envelope, payload, subject, delayMs, idempotency key or '', fingerprints, dedupeMs
-- All or nothing: when a key is held by a job with another fingerprint (an empty one fits all) nothing is written, and
-- the result is nil and the place of that job in the list. Else a flat list: id, 1 if duplicate else 0, state.
local function write_jobs(first, now)
  local held, fingerprints = {}, {}
  for i = first, #ARGV, NEW_JOB_FIELDS do
    local key = ARGV[i + 6]
    if key ~= '' then
      local holder = redis.call('GET', root .. 'key:' .. key)
      local known = fingerprints[key]
      if holder then
        held[key], known = string.match(holder, '^(%S+) (.*)$')
      end
      if known and another_content(known, ARGV[i + 7]) then
        return nil, (i - first) / NEW_JOB_FIELDS
      end
      fingerprints[key] = to_store(ARGV[i + 7])
    end
  end

  local receipts = {}
  for i = first, #ARGV, NEW_JOB_FIELDS do
    local id, queue, key, delay = ARGV[i], ARGV[i + 1], ARGV[i + 6], tonumber(ARGV[i + 5])
    local holder = key ~= '' and held[key]
    if holder then
      receipts[#receipts + 1] = holder
      receipts[#receipts + 1] = 1
      receipts[#receipts + 1] = redis.call('HGET', job_key(holder), 'state') or 'completed'
    else
      local state = delay > 0 and 'scheduled' or 'waiting'
      redis.call('HSET', job_key(id), 'envelope', ARGV[i + 2], 'payload', ARGV[i + 3], 'state', state,
        'createdAt', now, 'dueAt', now + delay, 'attempt', 0, 'queue', queue)
      if key ~= '' then
        redis.call('HSET', job_key(id), 'key', key)
        redis.call('SET', root .. 'key:' .. key, id .. ' ' .. to_store(ARGV[i + 7]), 'PX', ARGV[i + 8])
        held[key] = id
      end
      if ARGV[i + 4] ~= '' then
        local subject = root .. 'subject:' .. ARGV[i + 4]
        redis.call('RPUSH', subject, id)
        redis.call('PEXPIRE', subject, SUBJECT_RETENTION_MS)
      end
      if delay > 0 then
        redis.call('ZADD', queue_key(queue, 'delayed'), now + delay, id)
      else
        redis.call('LPUSH', queue_key(queue, 'waiting'), id)
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
  if dedupe and string.match(redis.call('GET', root .. 'key:' .. dedupe) or '', '^%S+') == id then
    redis.call('SET', root .. 'key:' .. dedupe, id .. ' ', 'KEEPTTL')
  end
  if how == 'forget' then
    if envelope then
      envelope.subject = nil
    end
    redis.call('HSET', key, 'envelope', envelope and cjson.encode(envelope) or '')
  end
  redis.call('HDEL', key, 'erase')
  redis.call('HSET', key, 'erasedAt', now)
end

-- Ends a job: its payload and the results of its steps go, a small record stays for `keep_ms`. With `how`, the value of its
-- field `erase`, it is erased as well.
local function finish(queue, id, state, reason, now, keep_ms, how)
  local key = job_key(id)
  redis.call('HSET', key, 'state', state, 'outcome', reason, 'finishedAt', now)
  redis.call('PEXPIRE', key, keep_ms)
  count(queue, state, 1)
  if state == 'dead' then
    redis.call('ZADD', queue_key(queue, 'dead'), now, id)
    redis.call('ZREMRANGEBYSCORE', queue_key(queue, 'dead'), '-inf', now - keep_ms)
  else
    drop_content(key)
  end
  if how then
    erase(id, how, now)
  end
end

-- waiting | scheduled | parked -> cancelled, and erased; false for a job in another state. An id that was popped and not
-- claimed is dropped by its claim.
local function erase_unstarted(id, how, now, keep_ms)
  local key = job_key(id)
  local state, queue = unpack(redis.call('HMGET', key, 'state', 'queue'))
  if not queue then
    return false
  elseif state == 'waiting' then
    -- From the end at which the oldest are.
    redis.call('LREM', queue_key(queue, 'waiting'), -1, id)
  elseif state == 'scheduled' then
    redis.call('ZREM', queue_key(queue, 'delayed'), id)
  elseif state == 'parked' then
    redis.call('ZREM', queue_key(queue, 'parked'), id)
  else
    return false
  end
  finish(queue, id, 'cancelled', 'erased', now, keep_ms, how)
  return true
end
