-- Compares all places of one job with its record, which is the truth. A repair makes them fit; it deletes no record.
-- KEYS root   ARGV id, '1' to repair, how long the lease is that a running job without one gets, error of an unreadable
--                  record, how long its dead letter stays, then further places where the id was seen
-- Returns what is wrong, or was before the repair.
local id, lease_ms, failure, keep_ms = ARGV[1], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local now = now_ms()

local function is_lane(place)
  return place == 'suspects' or string.sub(place, 1, 5) == 'lane:'
end

-- Every place to look at, and how often the id stands there.
local function found_of(job)
  local found = {}
  local function look(place)
    found[place] = found[place] or times(place, id)
  end
  for i = 6, #ARGV do
    look(ARGV[i])
  end
  if job then
    for _, part in ipairs({ 'waiting', 'active', 'delayed', 'leases', 'blocked', 'parked', 'dead' }) do
      look(job.prefix .. part)
    end
    if job.lane then
      look('lane:' .. job.lane)
    end
  end
  look('suspects')
  return found
end

-- Where it has to stand. A waiting job that was popped and not claimed yet may have a lease.
local function wanted_of(job, found)
  local places, prefix = places_of(job), job.prefix
  if job.state == 'waiting' and found[prefix .. 'waiting'] == 0 and found[prefix .. 'active'] > 0 then
    places[prefix .. 'waiting'] = nil
    places[prefix .. 'active'] = 'any'
    places[prefix .. 'leases'] = found[prefix .. 'leases'] > 0 and 'any' or nil
  end
  return places
end

local function faults_of(job, found)
  local faults = {}
  local function fault(text)
    faults[#faults + 1] = text
  end
  local places = job and wanted_of(job, found) or {}
  if not job and redis.call('EXISTS', job_key(id)) == 1 then
    fault('its record cannot be read')
  end
  for place, wanted in pairs(places) do
    if found[place] == 0 then
      fault('is ' .. job.state .. ' and not in ' .. place)
    elseif found[place] > 1 then
      fault('stands in ' .. place .. ' ' .. found[place] .. ' times')
    end
    if found[place] > 0 and wanted ~= 'any' and (redis.call('LINDEX', root .. place, 0) == id) ~= (wanted == 'first') then
      fault('is ' .. job.state .. ' and ' .. (wanted == 'first' and 'not the first in ' or 'the first in ') .. place)
    end
  end
  for place, count in pairs(found) do
    -- An expired dead letter stays in its index until the next one comes.
    if count > 0 and not places[place] and (job or not string.find(place, ':dead$')) then
      fault((job and 'is ' .. job.state or 'has no record') .. ' and stands in ' .. place)
    end
  end
  if job and job.state == 'running' and not job.token then
    fault('is running and has no token')
  end
  if job and job.held and not job.lane and not job.suspect then
    fault('is blocked and in no lane')
  end
  table.sort(faults)
  return faults
end

-- Leaves `left` entries of the id.
local function thin_out(place, count, left)
  if type_of(place) == 'zset' then
    if left == 0 then
      redis.call('ZREM', root .. place, id)
    end
  elseif count > left then
    redis.call('LREM', root .. place, count - left, id)
  end
end

-- A damaged time, NaN among them, is none.
local function time_of(text)
  local time = tonumber(text)
  return time and time == time and math.abs(time) < math.huge and time or nil
end

local function stand_in(place, job)
  local part = string.match(place, '([^:]+)$')
  local key = root .. place
  if part == 'waiting' then
    redis.call('RPUSH', key, id)
  elseif part == 'active' then
    redis.call('LPUSH', key, id)
  elseif part == 'leases' then
    redis.call('ZADD', key, now + lease_ms, id)
  else
    redis.call('ZADD', key, part == 'delayed' and time_of(job.due) or now, id)
  end
end

-- Gives a job its place in a lane. Where two have got past each other, the running one goes first.
local function mend_lane(place, job)
  local key = root .. place
  local count = times(place, id)
  if count == 0 then
    redis.call('RPUSH', key, id)
  end
  thin_out(place, count, 1)
  local head = redis.call('LINDEX', key, 0)
  if not job.held and head ~= id then
    local other = read(head)
    if not other or ENDED[other.state] or other.held or other.state ~= 'running' and job.state == 'running' then
      redis.call('LREM', key, 0, id)
      redis.call('LPUSH', key, id)
    elseif job.state ~= 'running' then
      redis.call('HSET', job_key(id), 'state', 'blocked')
    end
  end
end

local function mend(job, found)
  if job.state == 'running' and not job.token then
    redis.call('HSET', job_key(id), 'state', 'waiting')
  end
  if job.lane then
    mend_lane('lane:' .. job.lane, read(id))
  end
  if job.suspect then
    mend_lane('suspects', read(id))
  end
  job = read(id)
  if job.held and not job.lane and not job.suspect then
    redis.call('HSET', job_key(id), 'state', 'waiting')
    job = read(id)
  end
  local places = wanted_of(job, found)
  for place, count in pairs(found) do
    if not (places[place] and is_lane(place)) then
      thin_out(place, count, places[place] and 1 or 0)
    end
  end
  for place in pairs(places) do
    if not is_lane(place) and found[place] == 0 then
      stand_in(place, job)
    end
  end
end

local function bury_unreadable(found)
  local queue = redis.pcall('HGET', job_key(id), 'queue')
  queue = type(queue) == 'string' and queue or nil
  for place, count in pairs(found) do
    local known = count > 0 and not string.find(place, ':dead$') and string.match(place, '^q:(.*):[^:]+$')
    queue = queue or known or nil
    thin_out(place, count, 0)
  end
  if redis.call('EXISTS', job_key(id)) == 1 then
    redis.call('RENAME', job_key(id), root .. 'unreadable:' .. id)
  end
  if queue then
    bury(queue, id, failure, now, keep_ms)
  end
end

local job = read(id)
local found = found_of(job)
local faults = faults_of(job, found)
if ARGV[2] ~= '1' or #faults == 0 then
  return faults
end
if job then
  mend(job, found)
else
  bury_unreadable(found)
end
for place in pairs(found) do
  if is_lane(place) and type_of(place) == 'list' then
    unblock_head(root .. place, now)
  end
end
return faults
