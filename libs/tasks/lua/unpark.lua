-- parked -> waiting, for every job of a task and payload version that this worker can read, and has the key for.
-- KEYS root   ARGV queue, newest envelope version that it reads, ids of its keys (comma separated), then the known
--             'task@version'
-- Returns how many were moved.
local queue = ARGV[1]
local known = {}
for i = 4, #ARGV do
  local task, version = string.match(ARGV[i], '^(.*)@(%d+)$')
  known[task] = tonumber(version)
end
-- The outcome of a job that was parked for want of a key names it.
local function has_key(outcome)
  local key_id = string.match(outcome or '', '^key%-unknown:(.*)$')
  return not key_id or string.find(',' .. ARGV[3] .. ',', ',' .. key_id .. ',', 1, true) ~= nil
end
local moved = 0
local parked = queue_key(queue, 'parked')
for _, id in ipairs(redis.call('ZRANGE', parked, 0, -1)) do
  local key = job_key(id)
  local readable, envelope = pcall(cjson.decode, redis.call('HGET', key, 'envelope') or '')
  if readable and envelope.v <= tonumber(ARGV[2]) and envelope.payloadVersion <= (known[envelope.task] or 0)
      and has_key(redis.call('HGET', key, 'outcome')) then
    redis.call('ZREM', parked, id)
    redis.call('HSET', key, 'state', 'waiting')
    redis.call('LPUSH', queue_key(queue, 'waiting'), id)
    moved = moved + 1
  end
end
return moved
