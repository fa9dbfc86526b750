-- running -> running. Renews the leases of one process on one queue.
-- KEYS root   ARGV queue, leaseMs, then id and token of each attempt
-- Returns the tokens whose lease is not ours any more.
local leases = queue_key(ARGV[1], 'leases')
local expiry = now_ms() + tonumber(ARGV[2])
local lost = {}
for i = 3, #ARGV, 2 do
  if redis.call('HGET', job_key(ARGV[i]), 'token') == ARGV[i + 1] then
    redis.call('ZADD', leases, expiry, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i + 1]
  end
end
return lost
