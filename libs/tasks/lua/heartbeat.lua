-- running -> running. Renews the leases of one process on one queue.
-- KEYS root   ARGV queue, leaseMs, then id and token of each attempt
-- Returns a flat list: the token, and 'lost' when its lease is not ours any more or the reason for which it is to stop.
local leases = queue_key(ARGV[1], 'leases')
local expiry = now_ms() + tonumber(ARGV[2])
local told = {}
for i = 3, #ARGV, 2 do
  local held = state_of(ARGV[i]) and redis.call('HMGET', job_key(ARGV[i]), 'token', 'cancel') or {}
  if held[1] == ARGV[i + 1] then
    redis.call('ZADD', leases, expiry, ARGV[i])
  end
  local news = held[1] ~= ARGV[i + 1] and 'lost' or held[2]
  if news then
    told[#told + 1] = ARGV[i + 1]
    told[#told + 1] = news
  end
end
return told
