-- waiting -> waiting: gives back an id that was popped and will not be claimed, because this process drains.
-- KEYS root   ARGV queue, id
redis.call('ZREM', queue_key(ARGV[1], 'leases'), ARGV[2])
if redis.call('LREM', queue_key(ARGV[1], 'active'), 1, ARGV[2]) == 1 then
  redis.call('RPUSH', queue_key(ARGV[1], 'waiting'), ARGV[2])
end
return 1
