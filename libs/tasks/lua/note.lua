-- Writes to the audit log what changes no job: that somebody is shown a payload, or is refused.
-- KEYS root   ARGV action, object, then who does it (see note)
note(3, now_ms(), ARGV[1], ARGV[2], '', '')
return 1
