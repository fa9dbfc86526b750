-- Where jobs have to stand according to their records; changes nothing.
-- KEYS root   ARGV ids
-- Returns of each '' when it has no record to go on with, else '<b when blocked, else a> <createdAt> <its places, each after a tab>'.
local told = {}
for i, id in ipairs(ARGV) do
  local job = read(id)
  if not job then
    told[i] = ''
  else
    local places = {}
    if job.state == 'running' and not job.token or job.held and not job.lane and not job.suspect then
      -- Stands nowhere, so that it is looked at.
      places[1] = '\tnowhere'
    end
    for place, where in pairs(places_of(job)) do
      places[#places + 1] = '\t' .. place .. (where == 'first' and '#first' or '')
    end
    told[i] = (job.held and 'b' or 'a') .. ' ' .. (job.created or '0') .. ' ' .. table.concat(places)
  end
end
return told
