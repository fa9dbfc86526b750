-- Reads how a downstream stands. Changes nothing.
-- KEYS root   ARGV name, windowMs
-- Returns a flat list of names and values, nothing when it was not called lately: breaker, openUntil, pausedUntil, nextCallAt,
-- inFlight (of those whose number is limited), tries, retries, successes and failures of the window, line:<reason>.
if #stored == 0 then
  return {}
end
-- 0 for what is over.
local function time_of(ms)
  return string.format('%.0f', ms > now and ms or 0)
end

local open_until = get('openUntil')
local told = {
  'breaker', open_until == 0 and 'closed' or open_until > now and 'open' or 'half-open',
  'openUntil', time_of(open_until), 'pausedUntil', time_of(get('pausedUntil')), 'nextCallAt', time_of(get('tat')),
  'inFlight', tostring(redis.call('ZCOUNT', permits, '(' .. now, '+inf')),
}
for _, what in ipairs(COUNTS) do
  told[#told + 1] = what
  told[#told + 1] = tostring(recent(what))
end
for field, value in pairs(state) do
  if string.sub(field, 1, 5) == 'line:' and value > now then
    told[#told + 1] = field
    told[#told + 1] = time_of(value)
  end
end
return told
