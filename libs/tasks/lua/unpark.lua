-- parked -> waiting, for jobs of a task and payload version that this worker can read, and has the key for.
-- KEYS root   ARGV queue, newest envelope version that it reads, where to begin, how many to look at, error of an
--                  unreadable record, how long its dead letter stays, ids of its keys (comma separated), then the known
--                  'task@oldest-newest version'
-- Returns how many were moved and how many were looked at. Begin the next call after those that stayed.
local queue, envelope_version, first, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = {}
for i = 8, #ARGV do
  local task, oldest, newest = string.match(ARGV[i], '^(.*)@(%d+)-(%d+)$')
  known[task] = { oldest = tonumber(oldest), newest = tonumber(newest) }
end

-- An envelope that cannot be read is let through: the attempt says what is wrong with it.
local function fits(text)
  local readable, envelope = pcall(cjson.decode, text or '')
  if not readable or type(envelope) ~= 'table' or type(envelope.v) ~= 'number' then
    return true
  end
  local versions, version = known[envelope.task], tonumber(envelope.payloadVersion) or 0
  return envelope.v <= envelope_version and versions ~= nil and version >= versions.oldest and version <= versions.newest
end

-- The outcome of a job that was parked for want of a key names it.
local function has_key(outcome)
  local key_id = string.match(outcome or '', '^key%-unknown:(.*)$')
  return not key_id or string.find(',' .. ARGV[7] .. ',', ',' .. key_id .. ',', 1, true) ~= nil
end

local now, moved = now_ms(), 0
local parked = queue_key(queue, 'parked')
local ids = redis.call('ZRANGE', parked, first, first + limit - 1)
for _, id in ipairs(ids) do
  local state = state_of(id)
  if state ~= 'parked' then
    redis.call('ZREM', parked, id)
    if not state then
      bury(queue, id, ARGV[5], now, tonumber(ARGV[6]))
    end
    moved = moved + 1
  elseif fits(redis.call('HGET', job_key(id), 'envelope')) and has_key(redis.call('HGET', job_key(id), 'outcome')) then
    redis.call('ZREM', parked, id)
    put(queue, id, now, now)
    moved = moved + 1
  end
end
return { moved, #ids }
