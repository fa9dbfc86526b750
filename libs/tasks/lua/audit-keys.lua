-- Whether idempotency keys tell which job holds them. A repair puts those that do not aside, and gives them back to the job
-- whose record names them; its content is not compared any more, as its fingerprint is lost.
-- KEYS root   ARGV '1' to repair, how long a key is kept, then the place of each and the id of its job or ''
-- Returns of each 1 when it tells nothing, else 0.
local told = {}
for i = 3, #ARGV, 2 do
  local place, id = ARGV[i], ARGV[i + 1]
  local stored = redis.pcall('GET', root .. place)
  local damaged = stored and not holder_of(stored)
  if damaged and ARGV[1] == '1' then
    put_aside(place)
    if id ~= '' then
      redis.call('SET', root .. place, id .. ' ', 'PX', ARGV[2])
    end
  end
  told[#told + 1] = damaged and 1 or 0
end
return told
