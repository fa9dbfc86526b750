-- Reads the breakers of the named downstreams. Changes nothing.
-- KEYS root   ARGV names
-- Returns 'closed', 'half-open' or 'open' for each.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local states = {}
for i, name in ipairs(ARGV) do
  local text = redis.pcall('HGET', KEYS[1] .. 'downstream:' .. name, 'openUntil')
  -- Of another type, or no number, it says nothing, and the next call puts it aside.
  local until_ms = type(text) == 'string' and tonumber(text) or 0
  states[i] = until_ms == 0 and 'closed' or until_ms > now and 'open' or 'half-open'
end
return states
