--[[
  Lets a queue run again: takes back the console's halt, or the application's own pause, or both.
  A `paused` list that BullMQ 5 left is merged into `wait` and never laid over it. Its jobs are older, so they stay
  nearest to the end that workers take from (the right one). The pause flag goes only with the last of the list.
  KEYS[1] <queue>:meta      KEYS[2] <queue>:wait     KEYS[3] <queue>:paused  KEYS[4] <queue>:prioritized
  KEYS[5] <queue>:delayed   KEYS[6] <queue>:marker   KEYS[7] <queue>:events
  ARGV[1] jobs moved by one call at most
  Returns jobs left in the paused list: call again until 0.
]]
local meta, wait, paused, chunk = KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1])

local function restoreConcurrency()
  local record = redis.call('HGET', meta, 'spillway.halt')
  if not record then return end
  -- A concurrency other than 0 was set by the application since: that is newer than what the record remembers.
  if redis.call('HGET', meta, 'concurrency') == '0' then
    local isReadable, halt = pcall(cjson.decode, record)
    local former = isReadable and type(halt) == 'table' and halt.formerConcurrency
    if type(former) == 'number' then
      redis.call('HSET', meta, 'concurrency', string.format('%d', former))
    else
      redis.call('HDEL', meta, 'concurrency')
    end
  end
  redis.call('HDEL', meta, 'spillway.halt')
end

local function mergePaused()
  local parked = redis.call('LLEN', paused)
  if parked == 0 then return 0 end
  local waiting = redis.call('LLEN', wait)
  if waiting == 0 then
    redis.call('RENAME', paused, wait)
    return 0
  end
  if waiting <= parked and waiting <= chunk then
    -- The newer jobs are fewer: put them before the older ones, then give the whole list its right name.
    for _ = 1, waiting do redis.call('LMOVE', wait, paused, 'RIGHT', 'LEFT') end
    redis.call('RENAME', paused, wait)
    return 0
  end
  for _ = 1, math.min(parked, chunk) do redis.call('LMOVE', paused, wait, 'LEFT', 'RIGHT') end
  return redis.call('LLEN', paused)
end

local wasPaused = redis.call('HEXISTS', meta, 'paused') == 1
local left = mergePaused()
if left > 0 then return left end
restoreConcurrency()
if wasPaused then
  redis.call('HDEL', meta, 'paused')
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'event', 'resumed')
end
-- Workers sleep on the marker; without it they would notice after up to 5 s.
if redis.call('LLEN', wait) + redis.call('ZCARD', KEYS[4]) > 0 then
  redis.call('ZADD', KEYS[6], 0, '0')
else
  local nextDelayed = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  -- BullMQ keeps the due time × 4096 as the score of a delayed job.
  if nextDelayed[2] then redis.call('ZADD', KEYS[6], math.floor(tonumber(nextDelayed[2]) / 4096), '1') end
end
return 0
