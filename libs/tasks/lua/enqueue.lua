-- (nothing) -> waiting | scheduled. Dedupe, record, timeline and queue in one write.
-- KEYS root   ARGV new jobs (see write_jobs)
-- Returns the receipts, or {'conflict', place} when an idempotency key is held by a job with another content.
local receipts, place = write_jobs(1, now_ms())
if not receipts then
  return { 'conflict', place }
end
return receipts
