-- Tells how far each schedule has come. One that is new, or was forgotten, starts from now.
-- KEYS root   ARGV keepEveryMs, forgetAfterMs, then the key of each schedule
-- Returns {now, last slot of each schedule}.
local keep_every, forget_after = tonumber(ARGV[1]), tonumber(ARGV[2])
local slots, kept = root .. 'schedules', root .. 'schedules:kept'
local now = now_ms()

-- What no worker has declared for long, while others ran, was taken out: were it to come back, its old slots must not.
-- Measured against the last sign of any worker, so that an outage, whose slots are to be caught up, forgets nothing.
local newest = math.min(now, tonumber(redis.call('ZREVRANGE', kept, 0, 0, 'WITHSCORES')[2] or now))
for _, key in ipairs(redis.call('ZRANGEBYSCORE', kept, '-inf', newest - forget_after)) do
  redis.call('HDEL', slots, key)
  redis.call('ZREM', kept, key)
end

local function keep(key)
  local at = tonumber(redis.call('ZSCORE', kept, key) or 0)
  if at > now or now - at >= keep_every then
    redis.call('ZADD', kept, now, key)
  end
end

keep('any worker')
local reply = { now }
for i = 3, #ARGV do
  keep(ARGV[i])
  local last = tonumber(redis.call('HGET', slots, ARGV[i]) or nil)
  -- Later than now: the clock has been set back since, and no slot would come until it has caught up.
  if not last or last > now then
    last = now
    redis.call('HSET', slots, ARGV[i], now)
  end
  reply[#reply + 1] = last
end
return reply
