-- waiting -> waiting: gives back an id that was popped and will not be claimed, because this process drains.
-- KEYS root   ARGV queue, id
-- Taken back by others meanwhile, it may run elsewhere, with a lease and an entry of its own.
if state_of(ARGV[2]) == 'waiting' and redis.call('LREM', queue_key(ARGV[1], 'active'), 1, ARGV[2]) == 1 then
  redis.call('ZREM', queue_key(ARGV[1], 'leases'), ARGV[2])
  redis.call('RPUSH', queue_key(ARGV[1], 'waiting'), ARGV[2])
end
return 1
