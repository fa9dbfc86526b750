-- Of jobs, the idempotency key and the subject that their records name; changes nothing.
-- KEYS root   ARGV ids
-- Returns a flat list: key or '', subject or '', createdAt or '0'.
local told = {}
for _, id in ipairs(ARGV) do
  -- Where there is no record the whole reply is one error, and nothing of it a field.
  local key, text, created = unpack(redis.pcall('HMGET', job_key(id), 'key', 'envelope', 'createdAt'))
  local envelope = decoded(text or nil)
  told[#told + 1] = key or ''
  told[#told + 1] = envelope and type(envelope.subject) == 'string' and envelope.subject or ''
  told[#told + 1] = tonumber(created or nil) and created or '0'
end
return told
