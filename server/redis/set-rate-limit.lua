--[[
  Sets or removes a queue's global rate limit. The window that is being counted is dropped, so that the new limit
  counts from now and not when an old long window ends.
  KEYS[1] <queue>:meta  KEYS[2] <queue>:limiter  KEYS[3] <queue>:wait  KEYS[4] <queue>:prioritized  KEYS[5] <queue>:marker
  ARGV[1] max, or '' to remove the limit   ARGV[2] duration in ms
  Returns 1.
]]
local meta = KEYS[1]
if ARGV[1] == '' then
  redis.call('HDEL', meta, 'max', 'duration')
else
  redis.call('HSET', meta, 'max', ARGV[1], 'duration', ARGV[2])
end
redis.call('DEL', KEYS[2])
if redis.call('HEXISTS', meta, 'paused') == 0 and redis.call('LLEN', KEYS[3]) + redis.call('ZCARD', KEYS[4]) > 0 then
  redis.call('ZADD', KEYS[5], 0, '0')
end
return 1
