-- Shared by the transitions of one downstream: its keys, the server's clock, its state and its recent counts.
--
-- Under root .. 'downstream:' .. name:
--   HASH of numbers: openUntil (0: closed; past: half-open), openings in a row, openMs, pausedUntil, pauses in a row,
--     tat (the rate limit's), line:<reason> (when the last job that was sent away comes back), listed (when its name was last put
--     into the set root .. 'downstreams'), and the counts below
--   ':permits' ZSET of calls in flight, ':probes' ZSET of probes in flight; score: when a silent worker loses it

local name, window = ARGV[1], tonumber(ARGV[2])
local key = KEYS[1] .. 'downstream:' .. name
local permits, probes = key .. ':permits', key .. ':probes'
-- Longer than any pause or open time: what is not called any more goes.
local KEEP_MS = 2 * 3600 * 1000

-- This clock only: those of the workers may be wrong by hours.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The reply of a command on a key of this downstream. What stands there with another type is put aside, and the script ends:
-- its caller says so, and the next one finds nothing, as of a downstream that was never called.
local function checked(place, reply)
  if type(reply) == 'table' and reply.err then
    redis.call('RENAME', place, KEYS[1] .. 'unreadable:' .. string.sub(place, #KEYS[1] + 1))
    error('what stood in place of ' .. place .. ' was put aside: ' .. reply.err)
  end
  return reply
end

local state, changed = {}, {}
local stored = checked(key, redis.pcall('HGETALL', key))
for i = 1, #stored, 2 do
  local value = tonumber(stored[i + 1])
  -- Beyond that it is no number or time of ours, and would hold up calls for as long as it says.
  if value and value >= 0 and value <= now + KEEP_MS then
    state[stored[i]] = value
  end
end

local function get(field)
  return state[field] or 0
end

local function set(field, value)
  state[field], changed[field] = value, value
end

local function save()
  if now - get('listed') > KEEP_MS / 2 then
    local list = KEYS[1] .. 'downstreams'
    checked(list, redis.pcall('SADD', list, name))
    set('listed', now)
  end
  local pairs_to_set = {}
  for field, value in pairs(changed) do
    pairs_to_set[#pairs_to_set + 1] = field
    pairs_to_set[#pairs_to_set + 1] = string.format('%.3f', value)
  end
  if #pairs_to_set > 0 then
    redis.call('HSET', key, unpack(pairs_to_set))
    redis.call('PEXPIRE', key, KEEP_MS)
  end
end

-- A sliding window over two stretches: the one that runs, and as much of the one before as the window still covers.
local COUNTS = { 'successes', 'failures', 'tries', 'retries' }
local stretch = math.floor(now / window)
if get('stretch') ~= stretch then
  local follows = get('stretch') == stretch - 1
  for _, what in ipairs(COUNTS) do
    set('before:' .. what, follows and get(what) or 0)
    set(what, 0)
  end
  set('stretch', stretch)
end

local function count(what, by)
  set(what, get(what) + by)
end

local function recent(what)
  return math.floor(get(what) + get('before:' .. what) * (1 - now % window / window) + 0.5)
end

local function forget(what)
  set(what, 0)
  set('before:' .. what, 0)
end
