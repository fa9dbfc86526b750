-- Puts jobs back on the timeline of their subject, before those that were accepted since.
-- KEYS root   ARGV place of the timeline, then ids in order of acceptance
local timeline = root .. ARGV[1]
for i = #ARGV, 2, -1 do
  if not redis.call('LPOS', timeline, ARGV[i]) then
    redis.call('LPUSH', timeline, ARGV[i])
  end
end
redis.call('PEXPIRE', timeline, SUBJECT_RETENTION_MS)
return 1
