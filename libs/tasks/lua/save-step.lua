-- Check-points one step of a running attempt, fenced by its token.
-- KEYS root   ARGV id, token, step name, result as JSON
-- Returns 1, or 0 when the lease is not ours any more.
local key = job_key(ARGV[1])
if not state_of(ARGV[1]) or redis.call('HGET', key, 'token') ~= ARGV[2] then
  return 0
end
redis.call('HSET', key, 'step:' .. ARGV[3], now_ms() .. ' ' .. ARGV[4])
return 1
