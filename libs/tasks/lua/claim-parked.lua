-- parked -> running, for jobs of a task and payload version that this worker can read, and has the key for. They do not go
-- over `waiting`, where a worker that cannot read them would take and park them again. claim.lua, repeated with the token,
-- gives the claims again.
-- KEYS root   ARGV queue, token, leaseMs, where to begin, how many to claim at most, how many to look at, error of an
--                  unreadable record, how long its dead letter stays, newest envelope version that it reads, ids of its
--                  keys (comma separated), then the known 'task@oldest-newest version'
-- Returns {now, where to begin next or -1 when it was at the end, {id, record as a flat list}, …}
local queue, token, lease_ms, first, most, limit, failure, keep_ms, envelope_version, key_ids =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7],
  tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local known = {}
for i = 11, #ARGV do
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
  return not key_id or string.find(',' .. key_ids .. ',', ',' .. key_id .. ',', 1, true) ~= nil
end

local parked, active = queue_key(queue, 'parked'), queue_key(queue, 'active')
local now, stayed, looked, claimed = now_ms(), 0, 0, 0
local reply = { now, -1 }
local ids = redis.call('ZRANGE', parked, first, first + limit - 1)
for _, id in ipairs(ids) do
  if claimed == most then
    break
  end
  looked = looked + 1
  local state = state_of(id)
  if state ~= 'parked' then
    redis.call('ZREM', parked, id)
    if not state then
      bury(queue, id, failure, now, keep_ms)
    end
  elseif fits(redis.call('HGET', job_key(id), 'envelope')) and has_key(redis.call('HGET', job_key(id), 'outcome')) then
    redis.call('ZREM', parked, id)
    redis.call('LPUSH', active, id)
    claimed = claimed + 1
    reply[#reply + 1] = { id, lease(queue, id, token, lease_ms, now) }
  else
    stayed = stayed + 1
  end
end
if looked < #ids or #ids == limit then
  reply[2] = first + stayed
end
return reply
