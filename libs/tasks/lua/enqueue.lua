-- (nothing) -> waiting | scheduled | blocked. Dedupe, admission, record, timeline, lane and queue in one write.
-- KEYS root   ARGV most jobs that may wait in a queue, then new jobs (see write_jobs)
-- Returns the receipts; {'conflict', place} when an idempotency key is held by a job with another content; {'full', place}; {'damaged', place}.
local receipts, refusal, place = write_jobs(2, now_ms(), tonumber(ARGV[1]))
if not receipts then
  return { refusal, place }
end
return receipts
