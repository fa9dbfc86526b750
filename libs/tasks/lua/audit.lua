-- Shared by the scripts of the audit: where the record of a job says that it stands, and where it does.
-- A place is a key without the root. Nothing here trusts the type of a key.

local INDEX = { scheduled = 'delayed', blocked = 'blocked', parked = 'parked', dead = 'dead', waiting = 'waiting' }

local function type_of(place)
  return redis.call('TYPE', root .. place).ok
end

-- Keeps what was found at a place, beside what was put aside from there before.
local function put_aside(place)
  local aside = root .. 'unreadable:' .. place
  if redis.call('RENAMENX', root .. place, aside) == 0 then
    redis.call('RENAME', root .. place, aside .. ':' .. now_ms())
  end
end

-- The record of a job; nil when there is none that anybody could go on with.
local function read(id)
  local fields = redis.pcall('HMGET', job_key(id), 'state', 'queue', 'lane', 'suspect', 'token', 'dueAt', 'createdAt',
    'replayedAt')
  local state = fields[1]
  if not state or not fields[2] or not (INDEX[state] or ENDED[state] or state == 'running') then
    return nil
  end
  return {
    state = state, queue = fields[2], lane = fields[3], suspect = fields[4], token = fields[5], due = fields[6],
    created = fields[8] or fields[7], held = state == 'blocked', prefix = 'q:' .. fields[2] .. ':',
  }
end

-- The places of a job as a set; the value says whether it has to be the first there.
local function places_of(job)
  local places = {}
  if job.state == 'running' then
    places[job.prefix .. 'active'] = 'any'
    places[job.prefix .. 'leases'] = 'any'
  elseif INDEX[job.state] then
    places[job.prefix .. INDEX[job.state]] = 'any'
  end
  if not ENDED[job.state] then
    if job.lane then
      places['lane:' .. job.lane] = job.held and not job.suspect and 'later' or 'first'
    end
    if job.suspect then
      places['suspects'] = job.held and 'later' or 'first'
    end
  end
  return places
end

local function times(place, id)
  local kind = type_of(place)
  if kind == 'list' then
    return #redis.call('LPOS', root .. place, id, 'COUNT', 0)
  end
  return kind == 'zset' and redis.call('ZSCORE', root .. place, id) and 1 or 0
end
