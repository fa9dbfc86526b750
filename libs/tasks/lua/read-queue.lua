-- Reads how a queue stands; changes nothing.
-- KEYS root   ARGV queue
-- Returns {jobs waiting, ms since the oldest of them became due, parked jobs, dead letters}.
local waiting = queue_key(ARGV[1], 'waiting')
local oldest = redis.call('LINDEX', waiting, -1)
local text = oldest and redis.pcall('HGET', job_key(oldest), 'dueAt')
local due = type(text) == 'string' and tonumber(text)
return {
  redis.call('LLEN', waiting),
  due and math.max(0, now_ms() - due) or 0,
  redis.call('ZCARD', queue_key(ARGV[1], 'parked')),
  redis.call('ZCARD', queue_key(ARGV[1], 'dead')),
}
