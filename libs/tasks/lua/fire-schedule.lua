-- (nothing) -> waiting, for slots of one schedule: its last slot moves on and their jobs are written, or neither.
-- KEYS root   ARGV key of the schedule, its last slot so far, its last slot from now on, most jobs that may wait in a queue,
--                  then new jobs (see write_jobs)
-- Returns the receipts; {'stale'} when another worker was first; {'conflict', place}; {'full', place}; {'damaged', place}.
local slots = root .. 'schedules'
if redis.call('HGET', slots, ARGV[1]) ~= ARGV[2] then
  return { 'stale' }
end
local receipts, refusal, place = write_jobs(5, now_ms(), tonumber(ARGV[4]))
if not receipts then
  return { refusal, place }
end
redis.call('HSET', slots, ARGV[1], ARGV[3])
return receipts
