--[[
  Sets or removes a queue's global rate limit. The window that is being counted is dropped, so that the new limit
  counts from now and not when an old long window ends. A hold by the application itself (queue.rateLimit(ms): known by
  somebody else to wait, counted at 2^53 - 1) is left alone.
  KEYS[1] <queue>:meta     KEYS[2] <queue>:active   KEYS[3] <queue>:wait     KEYS[4] <queue>:prioritized
  KEYS[5] <queue>:delayed  KEYS[6] <queue>:marker   KEYS[7] <queue>:limiter
  ARGV[1] max, or '' to remove the limit   ARGV[2] duration in ms, or '' for none
  Returns ms for which a hold of the application goes on, 0 for none.
]]
local meta, limiter = KEYS[1], KEYS[7]
local heldMs = 0
local count = tonumber(redis.call('GET', limiter) or '')
if count and count >= 9007199254740991 then
  heldMs = math.max(0, redis.call('PTTL', limiter))
elseif count then
  redis.call('DEL', limiter)
end
if ARGV[1] == '' then
  redis.call('HDEL', meta, 'max', 'duration')
elseif ARGV[2] == '' then
  redis.call('HDEL', meta, 'duration')
  redis.call('HSET', meta, 'max', ARGV[1])
else
  redis.call('HSET', meta, 'max', ARGV[1], 'duration', ARGV[2])
end
wakeWorkers(meta, KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return heldMs
